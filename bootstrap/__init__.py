"""From bare hosts to a cluster that Flux runs: course.py holds the order."""
