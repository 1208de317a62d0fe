"""What a study learns from its own people: training, the caveat, topics; and which models may see a post."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coding import load_codebook
from coding import training as t
from coding.coders import model as coder
from coding.coders import topics
from coding.failures import RemoteModel
from coding.gold import GoldPost
from ethics.policy import Refused
from flows.coders import CAVEAT, caveat, settings_for, trained
from flows.errors import WrongUse
from flows.failure import explain
from flows.home import Home
from flows.topics import propose
from flows.train import study_corpus, train_model
from storage.associations import coded_posts
from tests.coding.field import code_by, gold_codes, gold_posts, gold_store

CODES = ("tools.footage", "police.cooperation")
CASE = "neighbourhood-watch"


def home_with_gold(path: Path) -> Home:
    """A home whose store holds the gold posts of dev."""
    home = Home(path)
    home.__dict__["store"] = gold_store(path)
    return home


def few(n: int) -> dict[str, frozenset[str]]:
    """The codes of the first *n* posts of one case."""
    codes = gold_codes()
    return {p.id: codes[p.id] for p in [p for p in gold_posts() if p.case == CASE][:n]}


def test_a_study_learns_from_what_its_people_agreed_on(tmp_path: Path) -> None:
    """The study's corpus holds its coded posts alone, their gold codes, and its threads as groups."""
    home = home_with_gold(tmp_path)
    assert len(study_corpus(home, CODES).truth) == 0
    told = few(40)
    code_by(home.store, "ann", told)
    code_by(home.store, "model", gold_codes(), coder="model")
    found = study_corpus(home, CODES)
    threads = {f"study/{p.thread}" for p in gold_posts() if p.id in told}
    assert len(found.truth) == 40
    assert set(found.groups) == threads
    assert found.truth.sum(axis=0).tolist() == [sum(c in v for v in told.values()) for c in CODES]


def test_training_writes_a_model_that_the_study_then_uses(tmp_path: Path) -> None:
    """The trained model and its card lie in the home, are used from then on, and the caveat ends with enough gold."""
    home = home_with_gold(tmp_path)
    assert caveat(home) == CAVEAT
    assert settings_for(home, "model").model_dump()["path"] == ""
    taught = t.corpus(
        [
            GoldPost(f"p{i}", CASE, "whatsapp", f"filmpje {i} soep", frozenset(CODES[: i % 2]), file=f"w{i % 4}")
            for i in range(40)
        ],
        CODES,
    )
    code_by(home.store, "ann", few(30))
    card = train_model(home, taught=taught)
    assert card["own"] == {"posts": 30, "threads": len(set(study_corpus(home, CODES).groups)), "measured": False}
    assert caveat(home) == CAVEAT
    code_by(home.store, "bea", few(120))
    card = train_model(home, taught=taught)
    assert (card["own"]["measured"], card["measured"]) == (True, 120)
    assert caveat(home) == ""
    chosen = settings_for(home, "model")
    assert isinstance(chosen, coder.Settings)
    assert (chosen.path, chosen.digest) == (str(trained(home)), card["digest"])
    kept = json.loads((tmp_path / "models" / "card.json").read_text())
    assert kept["figures"] == json.loads(json.dumps(card["figures"]))
    page = (tmp_path / "models" / "card.md").read_text()
    assert "120 posts" in page
    assert all(c in page for c in CODES)


def test_topics_quote_nobody_where_few_speak(tmp_path: Path) -> None:
    """A topic of fewer people than the policy's smallest cell has words and figures, and no examples."""
    home = home_with_gold(tmp_path)
    code_by(home.store, "m", gold_codes(), coder="model")
    case = home.case(CASE)
    chosen = topics.Settings(seeds=2, topics=6)
    told = propose(home, case, chosen)
    texts = {p.id: p.text for p in gold_posts()}
    assert told["topics"]
    for topic in told["topics"]:
        assert all(texts[e["post"]] == e["text"] for e in topic["examples"])
        assert bool(topic["examples"]) == (topic["authors"] >= case.policy.min_cell)
        assert all(c["share"] >= 2 * c["in_case"] for c in topic["covered_by"])
    strict = case.model_copy(update={"policy": case.policy.model_copy(update={"min_cell": 1000})})
    assert not any(topic["examples"] for topic in propose(home, strict, chosen)["topics"])


def test_a_remote_model_needs_the_policy_of_every_case(tmp_path: Path) -> None:
    """A host outside is Refused unless each case names it; a local one is not asked about."""
    home = Home(tmp_path)
    case = home.case(CASE)
    outside = {"VELDWERK_LLM_URL": "https://models.example.org/v1", "VELDWERK_LLM_MODEL": "m"}
    allowed = case.model_copy(
        update={"policy": case.policy.model_copy(update={"remote_models": ("models.example.org",)})}
    )
    for cases in ((), (case,), (allowed, case)):
        with pytest.raises(Refused, match=r"models\.example\.org"):
            settings_for(home, "llm", cases, outside)
    assert settings_for(home, "llm", (allowed,), outside).model_dump()["allowed_hosts"] == ("models.example.org",)
    local = settings_for(home, "llm", (), {"VELDWERK_LLM_MODEL": "m"})
    assert local.model_dump()["url"].startswith("http://localhost")


def test_failures_of_coders_have_their_exit_codes() -> None:
    """A remote model is an ethics refusal (3) wherever it comes up; an unknown coder is wrong use (2)."""
    assert explain(RemoteModel("no"))[0] == 3
    with pytest.raises(WrongUse, match="rules"):
        settings_for(Home(Path("nowhere")), "nosuch")


def test_coded_posts_are_rows_with_their_codes(tmp_path: Path) -> None:
    """One row a post that the coding saw, with its codes or an empty list, thread by thread in time."""
    home = home_with_gold(tmp_path)
    told = few(25)
    id_ = code_by(home.store, "m", told, coder="model")
    rows = list(coded_posts(home.store, id_, CASE).iter_rows(named=True))
    assert {r["post"]: frozenset(r["codes"]) for r in rows} == told
    assert rows == sorted(rows, key=lambda r: (r["case"], r["thread"], r["created"], r["post"]))
    assert not coded_posts(home.store, id_, "scam-fighters").height
    assert {c.id for c in load_codebook().codes} >= set().union(*told.values())
