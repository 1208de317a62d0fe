"""`python -m flows` is `veldwerk`."""

from .cli import main

if __name__ == "__main__":
    main()
