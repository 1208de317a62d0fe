"""What coders say is kept once, revised only on purpose, and becomes gold with its history."""

from __future__ import annotations

from pathlib import Path

import pytest

from coding import Mark
from coding.adjudication import disputes, gold, read_decisions, write_disputes
from coding.exchange import Coded, ExchangeError
from coding.readings import Taken, by_annotator, take_in
from coding.reliability import panel, report
from storage import Store
from storage import decisions as kept
from tests.coding.field import codebook, gold_codes, gold_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return gold_store(tmp_path)


def coded(codes: dict[str, frozenset[str]]) -> list[Coded]:
    return [
        Coded(p, tuple(Mark(c) for c in sorted(given)), where=f"row {n}", version=1)
        for n, (p, given) in enumerate(codes.items(), 2)
    ]


def some(n: int) -> dict[str, frozenset[str]]:
    """The gold codes of the first n posts of one case."""
    return dict(sorted((p, c) for p, c in gold_codes().items() if p.startswith("sf"))[:n])


def marks_in(store: Store) -> int:
    return sum(len(store.annotations(c.id)) for c in store.codings())


def test_taking_in_twice_doubles_nothing(store: Store) -> None:
    """The second time every post is known and the store holds the same marks."""
    codes = some(40)
    assert take_in(store, "anna", coded(codes), codebook()) == Taken(new=40)
    before = marks_in(store)
    assert take_in(store, "anna", coded(codes), codebook()) == Taken(known=40)
    assert marks_in(store) == before == sum(map(len, codes.values()))


def test_each_delivery_is_a_coding_of_its_own(store: Store) -> None:
    """A file with some known and some new posts adds the new ones only, under a date of their own."""
    take_in(store, "anna", coded(some(20)), codebook())
    assert take_in(store, "anna", coded(some(30)), codebook()) == Taken(new=10, known=20)
    assert [c.id for c in store.codings()] == ["human-anna-1", "human-anna-2"]


def test_other_codes_than_before_need_to_be_a_second_reading(store: Store) -> None:
    """A changed mind is refused without --revise and kept beside the first reading with it."""
    codes = some(20)
    take_in(store, "anna", coded(codes), codebook())
    changed = codes | {next(iter(codes)): frozenset({"police.request"})}
    with pytest.raises(ExchangeError, match=r"1 posts were coded otherwise by anna before, the first at row 2"):
        take_in(store, "anna", coded(changed), codebook())
    assert take_in(store, "anna", coded(changed), codebook(), revise=True) == Taken(revised=1, known=19)
    now = {r["post"]: frozenset(r["codes"]) for r in kept.readings(store).iter_rows(named=True)}
    assert now == changed
    assert {a.post for a in store.annotations("human-anna-1")} == {p for p, c in codes.items() if c}


def test_a_note_is_cleaned_before_it_is_kept(store: Store) -> None:
    """A remark goes through the cleaner; without a cleaner it is not kept at all."""
    one = Coded("sf-d-001", note="dit is Henk", version=1, where="row 2")
    take_in(store, "anna", [one], codebook(), note=lambda post, note: note.replace("Henk", "[PERSOON]"))
    take_in(store, "bram", [one], codebook())
    assert kept.notes(store, ["sf-d-001"]) == {"sf-d-001": [("anna", "dit is [PERSOON]")]}


@pytest.mark.parametrize("name", ["Anna de Vries", "", "anna@example.org", "a" * 40])
def test_a_coder_goes_by_a_code_name(store: Store, name: str) -> None:
    """Names that could be a person's own are refused."""
    with pytest.raises(ExchangeError, match="code name"):
        take_in(store, name, coded(some(1)), codebook())


def test_annotators_of_one_file_must_each_be_named() -> None:
    """Two annotators in a file are never put together under one name."""
    both = [Coded("p1", annotator="1"), Coded("p1", annotator="2")]
    with pytest.raises(ExchangeError, match="--coder 1=NAME --coder 2=NAME"):
        by_annotator(both, {"": "anna"})
    assert by_annotator(both, {"1": "anna", "2": "bram"}) == {"anna": both[:1], "bram": both[1:]}
    assert by_annotator(both[:1], {"": "anna"}) == {"anna": both[:1]}


def test_gold_is_what_coders_agree_on_and_what_was_decided(store: Store, tmp_path: Path) -> None:
    """Agreement is gold, a difference counts half until it is decided, and the decision holds from then on."""
    codes = some(30)
    first = next(p for p, c in codes.items() if c)
    lost = sorted(codes[first])[0]
    take_in(store, "anna", coded(codes), codebook())
    take_in(store, "bram", coded({p: c - {lost} if p == first else c for p, c in codes.items()}), codebook())
    (open_,) = disputes(store)
    assert (open_.post, open_.code, open_.yes, open_.no) == (first, lost, ("anna",), ("bram",))
    values = gold(store).values
    half = values.filter(value=0.5)
    assert half.select("post", "code", "basis").rows() == [(first, lost, "split")]
    assert set(values.filter(basis="unanimous").select("post", "code").rows()) == {
        (p, c) for p, given in codes.items() for c in given
    } - {(first, lost)}
    for suffix, said in ((".csv", "nee"), (".xlsx", "yes")):
        path = decided(tmp_path / f"open{suffix}", store, said)
        assert kept.decide(store, read_decisions(path, store, codebook(), "chair")) == 1
        assert kept.decide(store, read_decisions(path, store, codebook(), "chair")) == 0
        store_values = gold(store).values.filter(post=first, code=lost)["value"].to_list()
        assert store_values == ([1.0] if said == "yes" else [])
        assert disputes(store) == []
    history = kept.decisions(store, history=True)
    assert [(d.present, d.decided_by, d.reason) for d in history] == [
        (False, "chair", "geen voorbeeld"),
        (True, "chair", "geen voorbeeld"),
    ]
    assert len(kept.decisions(store)) == 1


def decided(path: Path, store: Store, said: str) -> Path:
    """A dispute sheet, filled in as a chair would."""
    import csv

    from openpyxl import load_workbook

    from coding.adjudication import Dispute

    (first,) = [d for d in kept.readings(store).iter_rows(named=True) if d["coder"] == "anna" and d["codes"]][:1]
    open_ = disputes(store) or [
        Dispute(first["post"], 1, first["case"], sorted(gold_codes()[first["post"]])[0], ("anna",), ("bram",))
    ]
    assert write_disputes(path, store, open_) == len(open_)
    if path.suffix == ".csv":
        rows = list(csv.reader(path.open(encoding="utf-8-sig"), delimiter=";"))
        rows[1][7:9] = [said, "geen voorbeeld"]
        csv.writer(path.open("w", encoding="cp1252", newline=""), delimiter=",").writerows(rows)
    else:
        book = load_workbook(path)
        book.active["H2"], book.active["I2"] = said, "geen voorbeeld"
        book.save(path)
    return path


def test_a_decision_on_what_nobody_coded_is_refused(store: Store, tmp_path: Path) -> None:
    """Row and column are named, and what stands there is not."""
    take_in(store, "anna", coded(some(3)), codebook())
    for line, told in (
        ("nope;norms.doxing;yes;", "row 2, column post"),
        ("sf-d-001;norms.nonsense;yes;", "row 2, column code"),
        ("sf-d-001;norms.doxing;misschien;", "row 2, column decision"),
    ):
        path = tmp_path / "d.csv"
        path.write_text(f"post;code;decision;reason\n{line}\n")
        with pytest.raises(ExchangeError, match=told) as caught:
            read_decisions(path, store, codebook(), "chair")
        assert not any(word in str(caught.value) for word in ("nope", "nonsense", "misschien"))


def test_the_report_of_a_coder_with_herself_is_perfect_and_of_noise_is_not(store: Store) -> None:
    """Two equal readings have alpha 1 everywhere it is defined; unlike ones fall below .667 and it is said."""
    codes = some(140)
    take_in(store, "anna", coded(codes), codebook())
    take_in(store, "bram", coded(codes), codebook())
    same = report(panel(kept.readings(store)), codebook(), resamples=100)
    assert {x.alpha for x in same.lines} <= {1.0, None}
    assert same.lines[0].alpha == same.lines[0].low == same.lines[0].high == 1.0
    posts = list(codes)
    shifted = dict(zip(posts, [*list(codes.values())[1:], frozenset[str]()], strict=True))
    take_in(store, "cleo", coded(shifted), codebook())
    noisy = report(
        panel(kept.readings(store).filter(coder="cleo").vstack(kept.readings(store).filter(coder="anna"))),
        codebook(),
        resamples=200,
    )
    overall = noisy.lines[0]
    assert overall.alpha is not None
    assert overall.alpha < 0.3
    assert "not supported" in overall.verdict
    assert any("tentative conclusions are not supported" in w for w in noisy.warnings)
    assert overall.low is not None
    assert overall.low < overall.alpha < (overall.high or 0)


def test_intervals_from_threads_hold_the_pooled_value(store: Store) -> None:
    """The unweighted resample is the point estimate itself: both come from one formula."""
    from coding.reliability import _Bootstrap

    codes = some(140)
    take_in(store, "anna", coded(codes), codebook())
    half = {p: frozenset(sorted(c)[:1]) for p, c in codes.items()}
    take_in(store, "bram", coded(half), codebook())
    read = panel(kept.readings(store))
    boot = _Bootstrap(read.threads, 1, 1)
    boot._weights[:] = 1.0
    for line in report(read, codebook(), resamples=1).lines:
        wanted = [c.id for c in codebook().codes if line.id in (c.id, c.id.split(".")[0])]
        low, high, _ = boot.sets(read.codes) if line.id == "all" else boot.yes_no(read.yes_no(wanted))
        assert low == high
        assert low == (None if line.alpha is None else pytest.approx(line.alpha))


def test_drift_shows_in_the_block_where_coding_changed(store: Store) -> None:
    """Coders who part halfway agree in the first blocks of the coding order and not in the last."""
    from coding.sampling import Plan, draw_sample
    from storage import samples

    sample = draw_sample(store, Plan(140, case="scam-fighters"))
    order = samples.items(store, sample.id)["post"].to_list()
    codes = {p: gold_codes()[p] for p in order}
    take_in(store, "anna", coded(codes), codebook())
    later = {p: (c if n < 70 else c ^ {"norms.doxing"}) for n, (p, c) in enumerate(codes.items())}
    take_in(store, "bram", coded(later), codebook())
    blocks = report(panel(kept.readings(store)), codebook(), resamples=10).by_order
    assert [b.name for b in blocks] == ["1-35", "36-70", "71-105", "106-140"]
    assert [b.alpha == 1.0 for b in blocks] == [True, True, False, False]
