"""One file a coder; the file name is its registration."""
