"""Archives of databases: base backups and write-ahead log as barman-cloud lays them out in a bucket."""
