"""Sentence vectors from a model in a local folder, when a study has one: nothing is fetched."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .failures import ModelError

Vectors = NDArray[np.float32]


@lru_cache(maxsize=1)
def embedder(folder: str) -> Callable[[Sequence[str]], Vectors]:
    """
    What turns texts into vectors of length 1 (texts x numbers), by the sentence-transformers model in *folder*.

    ModelError when there is none, or the library is not installed.
    """
    if not Path(folder).is_dir():
        msg = f"{folder}: no folder with a sentence-transformers model; VELDWERK_EMBEDDINGS must name one"
        raise ModelError(msg)
    # The libraries must not look for anything outside the folder.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from sentence_transformers import SentenceTransformer  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        msg = "sentence-transformers is not installed here; install it, or unset VELDWERK_EMBEDDINGS"
        raise ModelError(msg) from None
    model = SentenceTransformer(folder, device="cpu")

    def embed(texts: Sequence[str]) -> Vectors:
        return np.asarray(model.encode(list(texts), normalize_embeddings=True), dtype=np.float32)

    return embed
