"""The settings that a study's home gives each coder: its trained model, its language model, its policy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ethics.policy import Refused

from .errors import WrongUse

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .case import Case
    from .home import Home

CAVEAT = (
    "the model learnt from texts authored for this project; until you have measured it on a sample of your own "
    "(veldwerk sample, annotations, train), its codes are a guess about your posts"
)


def trained(home: Home) -> Path:
    """Where the study's own model lies, once it is trained."""
    return home.root / "models" / "model.npz"


def settings_for(
    home: Home, coder: str, cases: tuple[Case, ...] = (), environ: Mapping[str, str] = os.environ
) -> BaseModel:
    """
    The settings of *coder* in this home, for posts of *cases*.

    A language model outside this machine is Refused unless the policy of each of *cases* names its host.
    """
    from coding import load_coder

    if coder == "llm":
        return _language_model(home, cases, environ)
    if coder == "model":
        return _model(home, environ)
    try:
        return load_coder(coder).Settings()
    except LookupError as error:
        raise WrongUse(str(error)) from None


def _model(home: Home, environ: Mapping[str, str]) -> BaseModel:
    from coding.coders import model

    path = str(trained(home)) if trained(home).exists() else ""
    digest = str(model.load(path).card.get("digest", ""))
    return model.Settings(path=path, digest=digest, embeddings=environ.get("VELDWERK_EMBEDDINGS", ""))


def _language_model(home: Home, cases: tuple[Case, ...], environ: Mapping[str, str]) -> BaseModel:
    from coding.coders import llm
    from coding.failures import RemoteModel

    allowed = set(cases[0].policy.remote_models) if cases else set()
    for case in cases[1:]:
        allowed &= set(case.policy.remote_models)
    try:
        return llm.from_environment(tuple(sorted(allowed)), str(home.root / "cache" / "llm"), environ)
    except RemoteModel as error:
        raise Refused(str(error)) from None


def caveat(home: Home) -> str:
    """What must be said beside the model's codes: empty once the study has measured it on gold of its own."""
    from coding.coders import model

    if not trained(home).exists():
        return CAVEAT
    own = model.load(str(trained(home))).card.get("own", {})
    return "" if own.get("measured") else CAVEAT
