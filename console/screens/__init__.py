"""What single verbs show: each as a table, as lines in a pipe and as JSON. Decides nothing."""
