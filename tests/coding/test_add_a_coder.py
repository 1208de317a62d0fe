"""docs/add-a-coder.md is true: its example is a coder."""

from __future__ import annotations

import re
import types
from datetime import UTC, datetime
from pathlib import Path

from coding import Unit, load_codebook
from storage import Post, Pseudonym

PAGE = Path(__file__).parents[2] / "docs" / "add-a-coder.md"


def test_the_example_codes() -> None:
    """The coder that the page shows gives its code, with the evidence where the word stands, and nothing elsewhere."""
    (source,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    example = types.ModuleType("example")
    exec(compile(source, str(PAGE), "exec"), example.__dict__)
    texts = ["Doe aangifte bij de wijkagent", "mooi weer"]
    now = datetime.now(UTC)
    name = Pseudonym("p")
    units = [Unit(Post(name, "c", "x", "s", name, text, name, now, now)) for text in texts]
    first, second = example.code(units, load_codebook(), example.Settings())
    assert [(m.code, texts[0][m.start : m.end]) for m in first] == [
        ("police.cooperation", "aangifte"),
        ("police.cooperation", "wijkagent"),
    ]
    assert second == ()
