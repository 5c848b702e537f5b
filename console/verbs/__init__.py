"""What each verb of tasks.py does, a room or a module per area: builds the course, hands it to a Session, answers the exit code."""
