"""Laws of turning what platforms ship into what people wrote."""

from __future__ import annotations

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors._text import joined, plain

WRITTEN = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40)


@given(st.lists(st.lists(WRITTEN, min_size=1, max_size=3), min_size=1, max_size=3))
def test_paragraphs_and_breaks_come_back_as_they_were_typed(paragraphs: list[list[str]]) -> None:
    """Text shipped as paragraphs with breaks reads as its lines and blank lines."""
    lines = [[line.strip() for line in p] for p in paragraphs]
    lines = [[line for line in p if line] for p in lines]
    lines = [p for p in lines if p]
    markup = "".join("<p>" + "<br />".join(escape(line) for line in p) + "</p>" for p in lines)
    assert plain(markup) == "\n\n".join("\n".join(p) for p in lines)


@given(st.text(max_size=200))
def test_no_markup_whatever_breaks_the_reading(markup: str) -> None:
    """Broken tags, stray ampersands and half entities give some text, never an error."""
    assert isinstance(plain(markup), str)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (
            '<a href="x"><span class="invisible">https://</span><b>a.nl/b</b><span class="invisible">cd</span></a>',
            "https://a.nl/bcd",
        ),
        ('<p>kijk <img class="emoji" alt=":kat:" src="x"> hier</p>', "kijk :kat: hier"),
        ('<aside class="quote no-group"><div>wat een ander zei</div></aside>\n<p>mijn antwoord</p>', "mijn antwoord"),
        ("<p>een</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<p>twee</p>", "een\n\na\nb\n\ntwee"),
        ("<pre><code>a\n  b</code></pre>", "a\n  b"),
        ("<script>alert(1)</script><p>tekst</p>", "tekst"),
        ("gewoon &amp; zonder", "gewoon & zonder"),
        ("", ""),
    ],
)
def test_what_platforms_ship(markup: str, text: str) -> None:
    """Shortened links come whole, pictures of emoji as their names, quotes of others not at all."""
    assert plain(markup) == text


@given(st.lists(st.text("ab \n", max_size=6), max_size=4))
def test_joining_repeats_nothing(parts: list[str]) -> None:
    """No part is said twice in a row, and none that is more than a beginning is lost."""
    whole = joined(*parts)
    kept = [p.strip() for p in parts if p.strip()]
    assert all(p in whole for p in kept)
    assert joined(whole) == whole


def test_a_title_that_begins_the_body_is_not_repeated() -> None:
    """People paste their first sentence as the title; it is one sentence all the same."""
    assert joined("Wie zag dit?", "Wie zag dit? Gisteren op het plein.") == "Wie zag dit? Gisteren op het plein."
    assert joined("Titel", "", "https://x.nl") == "Titel\n\nhttps://x.nl"
