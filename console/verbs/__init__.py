"""What each verb of tasks.py does, one module per area: builds the course, hands it to a Session, answers the exit code."""
