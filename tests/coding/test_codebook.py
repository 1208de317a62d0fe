"""Codebooks: read strictly, checked for what contradicts, and carrying what was measured."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from coding import CodebookError, load_codebook
from coding.card import load_card, measure_rules
from coding.check import check_codebook
from coding.codebook import Codebook, Rule, Words
from coding.gold import GoldPost

SMALL = {
    "name": "small",
    "version": "1",
    "lists": {"bad": ["laf", "gemeen"]},
    "themes": [
        {
            "id": "a",
            "label": {"nl": "A", "en": "A"},
            "definition": {"nl": "A", "en": "A"},
            "codes": [
                {
                    "id": "a.b",
                    "label": {"nl": "B", "en": "B"},
                    "definition": {"nl": "B", "en": "B"},
                    "examples": ["Dat is laf."],
                    "rules": [
                        {
                            "id": "one",
                            "says": {"nl": "x", "en": "x"},
                            "any": ["{bad}"],
                            "hits": ["Wat laf."],
                            "misses": ["Mooi."],
                        }
                    ],
                }
            ],
        }
    ],
}
GOLD = [GoldPost("1", "c", "p", "Dat is gemeen", frozenset({"a.b"})), GoldPost("2", "c", "p", "laf", frozenset())]


def written(path: Path, change: str = "", value: object = None) -> str:
    """A codebook file like SMALL, with *value* at the dotted path *change*."""
    content = yaml.safe_load(yaml.safe_dump(SMALL))
    here = content
    *steps, last = [int(s) if s.isdigit() else s for s in change.split(".")] if change else ["name"]
    for step in steps:
        here = here[step]
    here[last] = value if change else "small"
    file = path / "book.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(file)


RULE = "themes.0.codes.0.rules.0"


@pytest.mark.parametrize(
    ("change", "value", "told"),
    [
        ("colour", "x", "colour: Extra inputs are not permitted"),
        (f"{RULE}.any", ["{good}"], f"{RULE}.any.0: pattern '{{good}}': there is no word list 'good'"),
        (f"{RULE}.any", [".. laf"], f"{RULE}.any.0: pattern '.. laf' begins with a gap"),
        (f"{RULE}.any", ["laf .."], f"{RULE}.any.0: pattern 'laf ..' ends with a gap"),
        (f"{RULE}.any", [], f"{RULE}: a rule needs either `any`, or `signs` with `points`"),
        (f"{RULE}.parent_codes", ["a.z"], f"{RULE}.parent_codes: there is no code 'a.z'"),
        (f"{RULE}.hits", [], f"{RULE}.hits: Tuple should have at least 1 item after validation, not 0"),
        (f"{RULE}.id", "a.b", f"{RULE}.id: String should match pattern"),
        ("lists.bad", ["l*f"], "lists.bad.0: pattern 'l*f': 'l*f' is no word"),
    ],
)
def test_a_fault_is_named_by_file_and_path(tmp_path: Path, change: str, value: object, told: str) -> None:
    """What cannot be read is refused with the file and the path in it."""
    name = written(tmp_path, change, value)
    with pytest.raises(CodebookError) as caught:
        load_codebook(name)
    assert f"{name}: {told}" in str(caught.value)


def faults(path: Path, change: str = "", value: object = None) -> list[tuple[str, str]]:
    return [(f.where, f.kind) for f in check_codebook(load_codebook(written(path, change, value)), GOLD)]


def test_a_sound_codebook_has_no_faults(tmp_path: Path) -> None:
    """Where tests pass, examples agree and every rule fires there is nothing to look at."""
    assert faults(tmp_path) == []


@pytest.mark.parametrize(
    ("change", "value", "found"),
    [
        (f"{RULE}.hits", ["Mooi."], ("a.b.one.hits.0", "test fails")),
        (f"{RULE}.misses", ["Zo laf."], ("a.b.one.misses.0", "test fails")),
        (f"{RULE}.any", ["lui"], ("a.b.one", "never fires")),
        ("themes.0.codes.0.examples", ["Dat is lui."], ("a.b.examples.0", "contradiction")),
        ("themes.0.codes.0.rules", [], ("a.b", "no rule")),
        ("lists.more", ["lui"], ("lists.more", "not used")),
        (f"{RULE}.misses", ["Wat laf."], ("a.b.one.misses.0", "contradiction")),
    ],
)
def test_each_kind_of_fault_is_found(tmp_path: Path, change: str, value: object, found: tuple[str, str]) -> None:
    """A failing test, a silent rule, a contradicting example, a code without rules and an unused list are told."""
    assert found in faults(tmp_path, change, value)


def test_a_rule_that_another_covers_is_dead(tmp_path: Path) -> None:
    """A rule whose patterns all stand in a like rule of the same code can be left out."""
    book = load_codebook(written(tmp_path))
    theme, code = book.themes[0], book.codes[0]
    narrow = Rule(id="two", says=Words(nl="x", en="x"), any=("laf",), hits=("laf",))
    wide = narrow.model_copy(update={"id": "three", "any": ("laf", "lui")})
    more = code.model_copy(update={"rules": (*code.rules, narrow, wide)})
    changed = Codebook.model_validate(
        book.model_copy(update={"themes": (theme.model_copy(update={"codes": (more,)}),)}).model_dump()
    )
    assert ("a.b.two", "cannot fire") in [(f.where, f.kind) for f in check_codebook(changed, GOLD)]


def test_the_digest_tells_contents_apart(tmp_path: Path) -> None:
    """Another word in a list is another digest; the same content has the same."""
    first = load_codebook(written(tmp_path))
    (tmp_path / "again").mkdir()
    assert load_codebook(written(tmp_path / "again")).digest == first.digest
    (tmp_path / "other").mkdir()
    assert load_codebook(written(tmp_path / "other", "lists.bad", ["laf"])).digest != first.digest


def test_the_card_counts_right_and_fired(tmp_path: Path) -> None:
    """A card says of each rule and code how often it was right, and on how many posts it fired."""
    card = measure_rules(load_codebook(written(tmp_path)), GOLD, {})
    assert (card.posts, card.rules, card.wanted) == (2, {"a.b": (1, 2), "one": (1, 2)}, {"a.b": 1})
    assert card.figures(load_codebook(written(tmp_path))) == (0.5, 1.0)


def test_the_shipped_card_belongs_to_the_shipped_codebook() -> None:
    """The committed card was measured on the codebook as it ships, and promises what the targets ask."""
    card = load_card(load_codebook())
    assert card is not None, "measure again: python -m bench.coding card"
    assert card.held_out["precision"] >= 0.80
    assert card.held_out["recall"] >= 0.45
    assert (files("coding.codebooks") / "citizen-policing.card.json").is_file()


def test_a_changed_codebook_has_no_card(tmp_path: Path) -> None:
    """Figures are never shown beside rules that they were not measured on."""
    assert load_card(load_codebook(written(tmp_path))) is None
    assert load_card(load_codebook().model_copy(update={"version": "changed"})) is None


def test_every_text_of_the_shipped_codebook_is_in_both_languages() -> None:
    """Each theme, code and rule speaks Dutch and English, and each criterion has its counterpart."""
    book = load_codebook()
    for code in book.codes:
        assert len(code.include) == len(code.include_en) > 0
        assert len(code.exclude) == len(code.exclude_en) > 0
        assert code.examples
        assert all(r.says.nl != r.says.en and r.hits and r.misses for r in code.rules)
    assert len({c.color for c in book.codes}) == len(book.codes) == 21
