"""One file per kind of step; course.py one floor up holds their order."""
