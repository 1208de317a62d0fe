"""A plain document, written as Markdown or as a page of HTML that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c}"
    "h1{font-size:1.7rem}h2{font-size:1.25rem;margin-top:2rem;border-bottom:1px solid #ccc}h3{font-size:1.05rem}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{border:1px solid #ccc;padding:.35rem .6rem;"
    "text-align:left;vertical-align:top}th{background:#f2f2f2}@media print{body{margin:0;max-width:none}}"
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 2 or 3."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Items:
    """A list of points."""

    points: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a head; None is an empty cell."""

    head: Sequence[str]
    rows: Sequence[Sequence[object]]


Block = str | Heading | Items | Table


@dataclass(frozen=True, slots=True)
class Document:
    """A title and what stands below it; a plain text is a paragraph."""

    title: str
    blocks: Sequence[Block]
    language: str = "en"

    def markdown(self) -> str:
        """As Markdown."""
        return "\n\n".join([f"# {self.title}", *map(_markdown, self.blocks)]) + "\n"

    def html(self) -> str:
        """As one HTML page."""
        body = "\n".join(map(_html, self.blocks))
        return (
            f'<!doctype html>\n<html lang="{self.language}"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><title>{escape(self.title)}</title>'
            f"<style>{STYLE}</style></head>\n<body><h1>{escape(self.title)}</h1>\n{body}\n</body></html>\n"
        )


def _markdown(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Items(points):
            return "\n".join(f"- {p}" for p in points)
        case Table(head, rows):
            lines = [head, ["---"] * len(head), *rows]
            return "\n".join(f"| {' | '.join(_cell(c).replace('|', chr(92) + '|') for c in line)} |" for line in lines)
        case _:
            return str(block)


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Items(points):
            return f"<ul>{''.join(f'<li>{escape(p)}</li>' for p in points)}</ul>"
        case Table(head, rows):
            top = "".join(f"<th>{escape(h)}</th>" for h in head)
            rest = "".join(f"<tr>{''.join(f'<td>{escape(_cell(c))}</td>' for c in row)}</tr>" for row in rows)
            return f"<table><thead><tr>{top}</tr></thead><tbody>{rest}</tbody></table>"
        case _:
            return f"<p>{escape(str(block))}</p>"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else str(value)
