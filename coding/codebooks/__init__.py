"""The shipped codebooks, as data."""
