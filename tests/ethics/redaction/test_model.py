"""The name model: exact sums, tables that agree with the features written out, and a file that can run no code."""

from __future__ import annotations

import io
import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from ethics.policy import Refused
from ethics.redaction import Redactor, active_model
from ethics.redaction.crf import Model, _marginals
from ethics.redaction.lexicon import shipped
from ethics.redaction.names import shipped_finder, with_phrases
from ethics.redaction.reading import read
from ethics.redaction.words import TOKEN, post_features

from .test_properties import gold


def test_marginals_are_sums_over_all_paths() -> None:
    """Forward-backward gives what adding up the weight of every path gives."""
    rng = np.random.default_rng(3)
    emissions, transitions = rng.normal(size=(9, 3)), rng.normal(size=(3, 3))
    lengths = np.array([4, 5])
    p = _marginals(emissions.astype(np.float32), np.array([0, 4]), lengths, np.exp(transitions).astype(np.float32))
    first, second = p[:4], p[4:]
    for marginals, e in ((first, emissions[:4]), (second, emissions[4:])):
        total = np.zeros((len(e), 3))
        for path in itertools.product(range(3), repeat=len(e)):
            weight = np.exp(
                sum(e[t, y] for t, y in enumerate(path)) + sum(transitions[a, b] for a, b in itertools.pairwise(path))
            )
            for t, y in enumerate(path):
                total[t, y] += weight
        assert np.allclose(marginals, total / total.sum(axis=1, keepdims=True), atol=1e-5)


def test_tables_hold_what_the_features_say() -> None:
    """The cached sums of a post are the sums of all its features as training writes them."""
    finder = shipped_finder()
    tagger = finder.tagger
    for text in gold()[:200]:
        tokens = with_phrases(TOKEN.findall(read(text).plain), shipped())
        words = [tagger.describer.describe(t) for t in tokens]
        written = np.array([tagger.model.sum(f) for f in post_features(tokens, words)])
        ids = np.array([0, 0, *tagger.numbers(tokens), 0, 0])
        cached = tagger._emit(ids, np.array([2]))[2:-2]
        assert np.allclose(written, cached, atol=1e-3)


def test_a_model_file_holds_arrays_only() -> None:
    """A file with Python objects in it, which could run code, is refused."""
    out = io.BytesIO()
    np.savez(out, features=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        Model.unpack(out.getvalue())


def test_a_packed_model_is_the_same_model() -> None:
    """Packing and unpacking changes no weight by more than its rounding."""
    model = shipped_finder().tagger.model
    again = Model.unpack(model.pack())
    assert again.labels == model.labels
    assert again.rows == model.rows
    assert np.allclose(again.weights, model.weights, atol=1e-2)


def test_a_configured_pipeline_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spaCy pipeline named by the user finds persons beside the shipped model, and doctor can say so."""
    import spacy

    pipeline = spacy.blank("nl")
    pipeline.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "blauwe tafel"}])  # type: ignore[attr-defined]
    pipeline.to_disk(tmp_path / "namen")
    text = "de blauwe tafel en Jan de Vries"
    plain = {text[f.start : f.end] for f in Redactor("readable").find(text)}
    monkeypatch.setenv("VELDWERK_NER", str(tmp_path / "namen"))
    better = {text[f.start : f.end] for f in Redactor("readable").find(text)}
    assert better == plain | {"blauwe tafel"}
    assert "namen" in active_model()


def test_a_missing_pipeline_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A configured pipeline that is not there stops the redaction rather than weakens it."""
    monkeypatch.setenv("VELDWERK_NER", "nl_nowhere_lg")
    with pytest.raises(Refused, match="VELDWERK_NER"):
        Redactor()
    monkeypatch.delenv("VELDWERK_NER")
    assert "ships" in active_model()
    assert os.environ.get("VELDWERK_NER") is None
