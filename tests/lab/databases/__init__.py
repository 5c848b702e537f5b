"""A house whose database is restored by real programs: PostgreSQL, barman-cloud, psql through kubectl exec."""
