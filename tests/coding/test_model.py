"""The model coder: words and features, training over writers, a safe file, evidence, and the shipped model."""

from __future__ import annotations

import io
import pickle
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coding import Unit, load_codebook
from coding import training as t
from coding._features import VIEWS, bags, read
from coding._lexicon import Lexicon, shipped
from coding._linear import Linear, Vocabulary
from coding._words import normal, stem, tokens
from coding.coders import model as coder
from coding.failures import ModelError
from coding.gold import GoldPost, gold_units, load_gold, load_gold_file, shipped_gold
from coding.measures import calibration, calibration_error, figures

CODES = ("police.cooperation", "tools.footage")
CALL = ("ik heb 112 gebeld", "net bij de wijkagent gemeld", "aangifte gedaan op het bureau", "bel de politie even")
FILM = ("filmpje van de deurbel", "camerabeelden hieronder", "wie heeft beelden", "dashcam opname bewaard")
CHAT = ("wie lust er soep", "de bus is te laat", "fijne vakantie", "hond zoekt oppas", "taart in de kantine")


Trained = tuple[t.Corpus, Linear, np.ndarray, np.ndarray]


def talk(n: int = 240, seed: int = 3) -> list[GoldPost]:
    """Small talk of six writers in which the codes are plain to see."""
    rng = random.Random(seed)
    posts = []
    for i in range(n):
        chosen = frozenset(c for c in CODES if rng.random() < 0.35)
        parts = [rng.choice(CALL)] * (CODES[0] in chosen) + [rng.choice(FILM)] * (CODES[1] in chosen)
        text = ", ".join([*parts, rng.choice(CHAT), f"nummer{rng.randint(0, 99)}"])
        posts.append(GoldPost(f"p{i}", "neighbourhood-watch", "whatsapp", text, chosen, file=f"writer{i % 6}"))
    return posts


@pytest.fixture(scope="module")
def trained() -> Trained:
    data = t.corpus(talk(), CODES)
    return (data, *t.train(data))


# ------------------------------------------------------------------------------------------------- words
@settings(deadline=None)
@given(st.text())
def test_tokens_stand_where_they_say_in_any_text(text: str) -> None:
    """Tokens come in order, do not overlap, and leave out nothing but white space and joined marks."""
    at = 0
    for token in tokens(text):
        assert at <= token.start < token.end <= len(text)
        assert token.form
        at = token.end
    assert read(text).text == text


def test_chat_spelling_labels_and_shapes_meet_their_standard_form() -> None:
    """`t` is het, a label and a thing of its shape are one kind, stretched letters shrink."""
    forms = [x.form for x in tokens("t busje [KENTEKEN-2] of 12-AB-34?? bel 0900-8844, heeeel ff @jan")]
    assert forms == [
        "het",
        "busje",
        "<kenteken>",
        "of",
        "<kenteken>",
        "??",
        "bel",
        "09008844",
        ",",
        "heel",
        "even",
        "<account>",
    ]
    assert normal("z'n") == "zijn"
    assert len({stem(w) for w in ("gestraft", "straffen", "straft")}) == 1


def test_the_lexicon_finds_words_parts_and_phrases_with_gaps() -> None:
    """`*` stands for letters, `..` for up to three words and no more."""
    small = Lexicon("image: film*, *beeld*\nask: heeft .. beelden, wie weet")
    assert [h.name for h in small.hits(["wie", "weet", "iets"])] == ["ask"]
    found = small.hits(["heeft", "hier", "iemand", "nog", "beelden"])
    assert [(h.name, h.first, h.last) for h in found] == [("ask", 0, 4), ("image", 4, 4)]
    assert [h.name for h in small.hits(["heeft", "er", "hier", "nog", "iemand", "beelden"])] == ["image"]
    assert [h.name for h in small.hits(["nachtbeelden", "filmpje"])] == ["image", "image"]


def test_every_class_of_the_shipped_lexicon_can_be_found() -> None:
    """Each item of the lexicon, read as a text, is found in its own class: no item is dead."""
    from importlib.resources import files

    dead = []
    for line in (files("coding.models") / "lexicon.txt").read_text(encoding="utf-8").splitlines():
        name, _, items = line.partition(":")
        for item in items.split(", ") if line and not line.startswith("#") else ():
            words = item.replace("*", "x").replace(" .. ", " ").split()
            if words and name not in {h.name for h in shipped().hits(words)}:
                dead.append((name, item))
    assert dead == []


def test_a_unit_has_features_in_every_view_it_can_have() -> None:
    """Thread features come from parent and opener alone; a vector becomes the view of meaning."""
    posts = [GoldPost(i, "c", "p", text, frozenset(), "t") for i, text in (("a", "Verdachte auto"), ("b", "kenteken?"))]
    first, second = gold_units(posts)
    assert not bags(first)[VIEWS.index("thread")]
    assert "opener:auto" in bags(second)[VIEWS.index("thread")]
    assert bags(first, vector=(0.25, 0.5))[VIEWS.index("meaning")] == {"v:0": 0.25, "v:1": 0.5}
    assert all(bags(second)[VIEWS.index(v)] for v in ("words", "letters", "stems", "classes"))


# ---------------------------------------------------------------------------------------------- training
def test_folds_never_part_a_writer() -> None:
    """All posts of a group are in one fold, and posts that only teach in none."""
    groups = [f"w{i % 5}" for i in range(50)] + ["extra"] * 5
    measured = np.array([g != "extra" for g in groups])
    fold = t.folds(groups, measured)
    assert len({(g, f) for g, f in zip(groups, fold.tolist(), strict=True)}) == 6
    assert set(fold[-5:]) == {-1}


def test_plain_codes_are_learnt_for_unseen_writers(trained: Trained) -> None:
    """Where the words tell the codes, the cross-validated figures say so, and scores are calibrated."""
    data, _, scores, chosen = trained
    found = figures(CODES, data.truth, chosen)
    assert found.micro_f1 > 0.95
    assert found.alpha > 0.9
    assert calibration_error(calibration(scores, data.truth)) < 0.1


def test_codes_without_cause_are_not_learnt() -> None:
    """With truth drawn by lot, agreement for unseen writers stays near chance: nothing leaks between folds."""
    rng = random.Random(1)
    posts = [
        GoldPost(p.id, p.case, p.platform, p.text, frozenset(c for c in CODES if rng.random() < 0.4), file=p.file)
        for p in talk()
    ]
    data = t.corpus(posts, CODES)
    _, _, chosen = t.train(data)
    assert figures(CODES, data.truth, chosen).alpha < 0.2


def test_the_same_gold_gives_the_same_model(trained: Trained, tmp_path: Path) -> None:
    """Training twice writes the same bytes' worth of numbers; the digest names the gold."""
    data, first, _, _ = trained
    again, _, _ = t.train(t.corpus(talk(), CODES))
    assert np.array_equal(first.weights, again.weights)
    assert np.array_equal(first.threshold, again.threshold)
    assert t.digest(data) == t.digest(t.corpus(talk(), CODES)) != t.digest(t.corpus(talk(seed=4), CODES))


def test_own_posts_are_measured_once_there_are_enough() -> None:
    """Below the least number shipped and own posts are measured; from it on, the own alone; all teach."""
    shipped_, own = t.corpus(talk(60), CODES), t.corpus(talk(40, seed=9), CODES)
    assert t.joined(shipped_, own, least=41).measured.sum() == 100
    both = t.joined(shipped_, own, least=40)
    assert (both.measured.sum(), len(both.truth)) == (40, 100)
    assert not both.measured[:60].any()


def test_sure_is_never_below_the_threshold(trained: Trained) -> None:
    """The band of doubt lies between them: what is sure is also given."""
    model = trained[1]
    assert (model.sure >= model.threshold).all()


# -------------------------------------------------------------------------------------------------- file
def test_a_saved_model_scores_as_before(trained: Trained, tmp_path: Path) -> None:
    """Half precision changes a score by less than a hundredth; the card is kept."""
    data, model, _, _ = trained
    t.with_card(model, {"digest": "d"}).save(tmp_path / "m.npz")
    loaded = Linear.load(tmp_path / "m.npz")
    assert np.abs(loaded.scores(data.documents) - model.scores(data.documents)).max() < 0.01
    assert loaded.card == {"digest": "d"}


def test_nothing_in_a_model_file_can_run(tmp_path: Path) -> None:
    """A pickle in the place of a model, or inside one, is a ModelError and is never executed."""

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "bang"),))

    (tmp_path / "a.npz").write_bytes(pickle.dumps(Bomb()))
    stored = io.BytesIO()
    np.savez(stored, meta=np.array([Bomb()], dtype=object))
    (tmp_path / "b.npz").write_bytes(stored.getvalue())
    for name in ("a.npz", "b.npz", "absent.npz"):
        with pytest.raises(ModelError, match=name):
            Linear.load(tmp_path / name)
    assert not (tmp_path / "bang").exists()


def test_a_cut_model_file_is_refused(trained: Trained, tmp_path: Path) -> None:
    """Whatever part of the file is missing, loading says so in one line."""
    trained[1].save(tmp_path / "m.npz")
    whole = (tmp_path / "m.npz").read_bytes()
    for share in (0, 10, len(whole) // 2, len(whole) - 30):
        (tmp_path / "m.npz").write_bytes(whole[:share])
        with pytest.raises(ModelError):
            Linear.load(tmp_path / "m.npz")


# ----------------------------------------------------------------------------------------------- tagging
def unit(text: str) -> Unit:
    return gold_units([GoldPost("x", "neighbourhood-watch", "whatsapp", text, frozenset())])[0]


def test_the_shipped_model_marks_what_is_plain_and_leaves_small_talk() -> None:
    """Doorbell footage and a report to the police are found, with evidence in the text; soup is not."""
    said = "Ik heb de beelden van mijn deurbelcamera aan de politie gegeven en aangifte gedaan van inbraak"
    marks, none = coder.code([unit(said), unit("Wie lust er nog een bakje soep?")], load_codebook(), coder.Settings())
    assert {"tools.footage", "police.cooperation", "deviance.crime"} <= {m.code for m in marks}
    assert none == ()
    by_code = {m.code: said[m.start : m.end] for m in marks if m.start is not None}
    assert "inbraak" in by_code["deviance.crime"]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from([*CALL, *FILM, "schande, levenslang!"])), max_size=4))
def test_evidence_lies_in_the_text_and_scores_between_bounds(texts: list[str]) -> None:
    """For any text, each mark has a score of 0..1, a code of the codebook, and a span of that text or none."""
    text = " ".join(texts)
    known = {c.id for c in load_codebook().codes}
    for mark in next(coder.code([unit(text)], load_codebook(), coder.Settings())):
        assert 0 <= mark.score <= 1
        assert mark.code in known
        if mark.start is not None and mark.end is not None:
            assert 0 <= mark.start < mark.end <= len(text)


def test_batches_change_nothing() -> None:
    """A unit gets the same marks alone and among a thousand others."""
    units = [unit(f"{random.Random(i).choice([*CALL, *FILM, *CHAT])} {i}") for i in range(1030)]
    together = list(coder.code(iter(units), load_codebook(), coder.Settings()))
    alone = [next(coder.code([u], load_codebook(), coder.Settings())) for u in units[::97]]
    assert together[::97] == alone
    assert len(together) == 1030


def test_sure_gives_a_part_of_what_is_given() -> None:
    """`sure` only takes codes away, and `scores` tells the probability of all of them."""
    units = [unit(x) for x in (*CALL, *FILM, *CHAT)]
    plain = list(coder.code(units, load_codebook(), coder.Settings()))
    sure = list(coder.code(units, load_codebook(), coder.Settings(sure=True)))
    assert all({m.code for m in s} <= {m.code for m in p} for s, p in zip(sure, plain, strict=True))
    told = list(coder.scores(units, coder.Settings()))
    assert all(round(told[i][m.code], 4) == m.score for i, marks in enumerate(plain) for m in marks)


def test_another_training_is_not_taken_for_this_one() -> None:
    """Settings made for one training refuse another: the coding's provenance stays true."""
    digest = str(coder.load().card["digest"])
    next(coder.code([unit("soep")], load_codebook(), coder.Settings(digest=digest)))
    with pytest.raises(ModelError, match="anew"):
        next(coder.code([unit("soep")], load_codebook(), coder.Settings(digest="0" * 16)))


def test_the_shipped_model_learnt_from_the_shipped_gold() -> None:
    """The model in the package is the one that `python -m bench.model ship` makes of the gold in the package."""
    made = coder.load()
    data = t.shipped_corpus(tuple(c.id for c in load_codebook().codes))
    assert made.codes == data.codes
    assert made.card["digest"] == t.digest(data)
    assert made.card["posts"] == len(data.truth)


def test_no_held_out_post_teaches() -> None:
    """The held-out posts are in the package, and none of their texts is in what the model learnt."""
    held = load_gold(shipped_gold() / "heldout")
    assert len(held) == 530
    assert not {p.text for p in held if p.codes} & {p.text for p in t.shipped_posts()}
    assert not {p.file for p in held} & {p.file for p in t.shipped_posts()}


def test_a_post_that_has_nothing_to_do_with_the_subject_gets_no_code(trained: Trained) -> None:
    """Whatever the codes' own scores, a post below 0 in the last decision gets none."""
    data, model, _, _ = trained
    shut = replace(model, bias=np.where(np.arange(len(model.bias)) < len(CODES), model.bias, -99).astype(np.float32))
    scores, about = model.judged(data.documents)
    assert about[data.truth.any(axis=1)].mean() > 0.95
    assert not about[~data.truth.any(axis=1)].all()
    assert np.array_equal(shut.judged(data.documents)[0], scores)
    assert not shut.judged(data.documents)[1].any()


def test_small_talk_is_left_alone() -> None:
    """At most 4 % of posts of held-out small talk get any code."""
    posts = load_gold_file(shipped_gold() / "heldout" / "heldout_smalltalk.jsonl")
    given = list(coder.code(gold_units(posts), load_codebook(), coder.Settings()))
    assert sum(map(bool, given)) <= 0.04 * len(posts)


def test_vocabulary_columns_are_all_different() -> None:
    """No two features share a column, over all views."""
    v = Vocabulary.of([bags(unit(x)) for x in (*CALL, *FILM, *CHAT)], least=1)
    columns = [c for table in v.columns for c in table.values()]
    assert sorted(columns) == list(range(len(v)))
