"""Read XML from strangers: none of their entities is expanded, nothing is loaded, small faults are forgiven."""

from __future__ import annotations

import codecs
import html
import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import defusedxml.ElementTree as Safe
from defusedxml import DefusedXmlException

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["BadXml", "local", "parsed"]

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
BARE = ((b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)([A-Za-z][A-Za-z0-9]{1,31});")
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
CLOSED = re.compile(r"</\s*(?:[\w.-]+:)?(?:rss|feed|rdf|channel)\s*>", re.IGNORECASE)
DEEP = 200
"""Elements within elements; more is no document."""


class BadXml(Exception):
    """A document that cannot or must not be read; the message is a fixed phrase."""


def parsed(content: bytes, charset: str | None = None) -> Element:
    """
    The root element of a document; *charset* is what came with it from outside.

    Raises BadXml for what is no XML at all, for entities of its own, and for nesting beyond reason.
    """
    text = DECLARATION.sub("", _decoded(content, charset), count=1)
    text = FORBIDDEN.sub("", NAMED.sub(_named, text)).strip()
    if _deepest(text) > DEEP:
        msg = "is nested beyond reason"
        raise BadXml(msg)
    try:
        root: Element = Safe.fromstring(text)
    except DefusedXmlException:
        msg = "defines entities of its own, which no feed needs"
        raise BadXml(msg) from None
    except (ParseError, ValueError):
        return _mended(text)
    return root


def _mended(text: str) -> Element:
    """Read a document with faults as far as it goes: libxml2 repairs, expands nothing and loads nothing."""
    from lxml import etree

    if not CLOSED.search(text[-4000:]):
        msg = "is cut short or no feed"
        raise BadXml(msg)
    if "<!ENTITY" in text:
        msg = "defines entities of its own, which no feed needs"
        raise BadXml(msg)
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text.encode(), parser)
        mended: Element = Safe.fromstring(etree.tostring(root, encoding="unicode"))
    except (etree.LxmlError, ParseError, DefusedXmlException, ValueError, TypeError):
        msg = "is not XML"
        raise BadXml(msg) from None
    return mended


def _deepest(text: str) -> int:
    """How deep the elements of a text stand in each other, roughly, and no deeper than one past `DEEP`."""
    depth = deepest = 0
    for tag in re.finditer(r"<(/?)[A-Za-z][^<>]*?(/?)>", text):
        depth += -1 if tag[1] else 0 if tag[2] else 1
        deepest = max(deepest, depth)
        if deepest > DEEP:
            break
    return deepest


def _decoded(content: bytes, charset: str | None) -> str:
    """The text: by its byte order mark, what came with it, its own declaration, or UTF-8, in that order."""
    for mark, name in BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(name, "replace")
    for start, name in BARE:
        if content.startswith(start):
            return content.decode(name, "replace")
    declared = DECLARED.match(content)
    told = [charset or "", declared[1].decode("ascii") if declared else "", "utf-8"]
    for name in told:
        try:
            return content.decode(codecs.lookup(name).name)
        except (LookupError, ValueError):
            continue
    return content.decode("cp1252", "replace")


def _named(entity: re.Match[str]) -> str:
    """A name from HTML, which feeds use without asking, as its character; unknown ones stand as written."""
    found = html.unescape(entity[0])
    return found if found != entity[0] else f"&amp;{entity[1]};"


def local(tag: object) -> str:
    """An element's name without its namespace, in lower case; empty for comments and the like."""
    return tag.rsplit("}", 1)[-1].lower() if isinstance(tag, str) else ""
