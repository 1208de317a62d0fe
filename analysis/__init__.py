"""What the corpus tells: estimates, associations, networks, reports."""
