"""Text as people wrote it, out of the forms in which platforms ship it."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

__all__ = ["joined", "plain"]

BREAKS = {"br": "\n", "p": "\n\n", "div": "\n", "li": "\n", "blockquote": "\n\n", "pre": "\n\n", "tr": "\n"}
BREAKS |= {f"h{n}": "\n\n" for n in range(1, 7)}
FOLD = re.compile(r"[ \t]*[\r\n]\s*")
"""A line break in the source of a page is a space; runs of spaces are left as they were typed."""
SILENT = frozenset({"script", "style", "template"})


def joined(*parts: str) -> str:
    """
    Title, body and link as one text, empty ones left out.

    A title that only repeats how the body begins is not said twice.
    """
    kept: list[str] = []
    for part in (p.strip() for p in parts):
        if kept and part.startswith(kept[-1]):
            kept.pop()
        if part:
            kept.append(part)
    return "\n\n".join(kept)


def plain(markup: str) -> str:
    """
    The text of an HTML fragment: paragraphs and breaks as newlines, everything else without its tags.

    Elements that Mastodon hides to shorten an address (`invisible`) count, so that links come out whole;
    script, style and quotations of other posts (`aside class="quote"`) do not.
    """
    if "<" not in markup:
        return html.unescape(markup).strip()
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", reader.text()).strip()


def _is_quote(attrs: list[tuple[str, str | None]]) -> bool:
    return "quote" in (dict(attrs).get("class") or "").split()


class _Reader(HTMLParser):
    """Gathers text; unknown and broken markup is passed over, as browsers do."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._silent = 0
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT or (tag == "aside" and (self._silent > 0 or _is_quote(attrs)))
        self._verbatim += tag == "pre"
        if tag == "br":
            self._parts.append("\n")
        elif tag in BREAKS:
            self._open(BREAKS[tag])
        elif tag == "img":
            self._parts.append(dict(attrs).get("alt") or "")  # an emoji drawn as a picture

    def handle_endtag(self, tag: str) -> None:
        self._silent -= (tag in SILENT or tag == "aside") and self._silent > 0
        self._verbatim -= tag == "pre" and self._verbatim > 0
        if tag in BREAKS and tag != "br":
            self._open(BREAKS[tag])

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        if not self._verbatim:
            data = FOLD.sub(" ", data)
            if not self._parts or self._parts[-1].endswith("\n"):
                data = data.lstrip(" ")
        if data:
            self._parts.append(data)

    def _open(self, gap: str) -> None:
        """Begin a block: at least *gap* stands between it and what came before."""
        tail = "".join(self._parts[-3:])
        missing = len(gap) - (len(tail) - len(tail.rstrip("\n")))
        if self._parts and missing > 0:
            self._parts.append("\n" * missing)

    def text(self) -> str:
        return "".join(self._parts)
