"""The lines of texts that people write: Word, HTML, Markdown, PDF and plain text, sizes bounded."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from . import UnreadableExport
from ._files import Entry, encoding_of, entries, head, lines, opened
from ._text import plain

SIZE = 64 * 1024 * 1024
"""The largest document, in bytes."""
_LINE = 1024 * 1024


def texts(path: Path, suffixes: tuple[str, ...]) -> list[Entry]:
    """The documents at *path* with one of these *suffixes*; a Word file is a zip of its own kind and stays one."""
    found = entries(path)
    if any(e.member == "word/document.xml" for e in found) and path.is_file():
        return [Entry(path)] if ".docx" in suffixes else []
    if len(found) == 1 and not found[0].member:
        return found if _suffix(found[0]) in suffixes else []
    return [e for e in found if _suffix(e) in suffixes and not e.name.startswith(("~$", "."))]


def _suffix(entry: Entry) -> str:
    return "." + entry.name.casefold().rpartition(".")[2]


def is_word(entry: Entry) -> bool:
    """Whether *entry* is a Word document, by its content."""
    if head(entry, 4) != b"PK\x03\x04":
        return False
    return _suffix(entry) == ".docx" or any(e.member == "word/document.xml" for e in entries(entry.path))


def is_marked(entry: Entry) -> bool:
    """Whether the document itself says what its paragraphs are: Word and HTML do."""
    return is_word(entry) or _is_html(head(entry, 1024))


def _is_html(data: bytes) -> bool:
    return data.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith((b"<!doctype html", b"<html"))


def _whole(entry: Entry) -> bytes:
    with opened(entry) as handle:
        data = handle.read(SIZE + 1)
    if len(data) > SIZE:
        msg = f"{entry}: a document of more than {SIZE // 1_000_000} MB; divide it, or save it without its pictures"
        raise UnreadableExport(msg)
    return data


def paragraphs(entry: Entry) -> list[str]:
    """The paragraphs of a document in order; a table's row is one, its cells parted by a tab."""
    if is_word(entry):
        return list(_word(entry))
    data = head(entry, 1024)
    if data.startswith(b"%PDF"):
        return list(_pdf(entry))
    if _is_html(data):
        return re.split(r"\n+", plain(_whole(entry).decode(encoding_of(entry), "replace")))
    return list(lines(entry, _LINE))


def written(entry: Entry) -> datetime:
    """When a document was made: as Word keeps it, else when the file was last changed."""
    if is_word(entry):
        made = _document(entry).core_properties.created
        if isinstance(made, datetime) and made.year > 1990:
            return made if made.tzinfo else made.replace(tzinfo=UTC)
    return datetime.fromtimestamp(int(entry.path.stat().st_mtime), UTC)


def _document(entry: Entry) -> Any:
    import docx

    try:
        return docx.Document(io.BytesIO(_whole(entry)))
    except UnreadableExport:
        raise
    except Exception as error:  # noqa: BLE001 (python-docx lets through whatever its XML and zip readers raise)
        msg = f"{entry}: not a readable Word document ({type(error).__name__}); save it again as .docx or .txt"
        raise UnreadableExport(msg) from None


def _word(entry: Entry) -> Iterator[str]:
    for block in _document(entry).iter_inner_content():
        if hasattr(block, "rows"):
            for row in block.rows:
                yield "\t".join(dict.fromkeys(cell.text.strip() for cell in row.cells))
        else:
            yield from block.text.split("\n")


def _pdf(entry: Entry) -> Iterator[str]:
    try:
        import pypdf  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        msg = f"{entry}: reading PDF needs the package pypdf (pip install pypdf); or save the text as .docx or .txt"
        raise UnreadableExport(msg) from None
    try:
        for page in pypdf.PdfReader(io.BytesIO(_whole(entry))).pages:
            yield from page.extract_text().split("\n")
            yield ""
    except UnreadableExport:
        raise
    except Exception as error:  # noqa: BLE001 (pypdf raises many kinds of errors on damaged files)
        msg = f"{entry}: not a readable PDF ({type(error).__name__}); save the text as .docx or .txt"
        raise UnreadableExport(msg) from None
