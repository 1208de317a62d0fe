"""The one way a page is made: a template of this folder, the house style inside it, everything else escaped."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


def render(template: str, **values: Any) -> str:
    """The self-contained HTML document that *template* (a file beside this one) makes of *values*."""
    environment = Environment(
        loader=FunctionLoader(_read), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["thousands"] = lambda n: f"{n:,}"
    house_style = Markup(_read("style.css"))  # noqa: S704 (a file of this folder)
    return environment.get_template(template).render(style=house_style, **values)


def _read(name: str) -> str:
    return (files("analysis.report") / name).read_text(encoding="utf-8")
