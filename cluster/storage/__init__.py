"""What stands under the data: one folder a system, each with a pure verdict (judge.py) and its checks (check.py)."""
