"""One file an exchange format: samples out to human coders, and their codes back."""
