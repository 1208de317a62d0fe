"""`python -m flows` is `veldwerk`."""

from .cli import main

main()
