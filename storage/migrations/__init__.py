"""The schema, one numbered SQL file a step: listed by name, applied once, recorded."""
