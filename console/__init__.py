"""What a person sees, and the composition root: session, views, reports."""
