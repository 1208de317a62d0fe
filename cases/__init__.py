"""The shipped cases, as data: question, sources, legal basis, retention, policy. Reviewed like code."""
