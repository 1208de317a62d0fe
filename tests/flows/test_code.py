"""Coding stored posts from the command line's side."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.code import code_case
from flows.home import Home
from flows.progress import Progress
from storage import Batch
from tests.coding.loopback_model import LoopbackModel, codes
from tests.storage.made import post


def test_a_language_model_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coding with a language model keeps its codes and tells the tokens it took; a second run asks nothing."""
    monkeypatch.setenv("VELDWERK_KEY", os.urandom(32).hex())
    home = Home(tmp_path / "home")
    made = post(1, "Wie heeft beelden van de inbraak?")
    home.store.add(Batch(made.case, "made", (made,)))
    with LoopbackModel(lambda body, n: codes(("tools.footage", 0.9, "heeft beelden"))) as server:
        monkeypatch.setenv("VELDWERK_LLM_URL", server.url)
        monkeypatch.setenv("VELDWERK_LLM_MODEL", "m")
        first = code_case(home, home.case(made.case), "llm", Progress())
        again = code_case(home, home.case(made.case), "llm", Progress())
        asked = len(server.requests)
    assert (first.counts["posts"], first.counts["coded"], first.counts["tokens in"]) == (1, 1, 100)
    assert (again.counts["posts"], asked) == (0, 1)
    (coding,) = home.store.codings()
    assert [a.code for a in home.store.annotations(coding.id)] == ["tools.footage"]
