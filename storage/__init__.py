"""What we keep: the records, and the one DuckDB file that holds them."""

from .records import (
    Added,
    Annotation,
    Batch,
    Coding,
    Disclosure,
    Label,
    Post,
    Pseudonym,
    Run,
    Span,
)
from .store import Store, StoreError

__all__ = [
    "Added",
    "Annotation",
    "Batch",
    "Coding",
    "Disclosure",
    "Label",
    "Post",
    "Pseudonym",
    "Run",
    "Span",
    "Store",
    "StoreError",
]
