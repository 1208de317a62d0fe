"""The LLM coder on the wire, against a server that answers as it is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as patient
from hypothesis import strategies as st

from coding import Mark, Unit, load_codebook
from coding._chat import Chat, check_host
from coding._prompt import Given, Unreadable, examples, located, messages, parse, schema
from coding.coders import llm
from coding.failures import ChatError, ModelRejected, ModelUnreachable, RemoteModel
from coding.gold import GoldPost, gold_units

from .loopback_model import LoopbackModel, Reply, answer, codes

BOOK = load_codebook()
TEXT = "Wie heeft beelden van de inbraak? Bel 112, zei [PERSOON-1]."
GOOD = codes(("tools.footage", 0.9, "heeft beelden"), ("deviance.crime", 0.8, "de INBRAAK"))
MARKS = (Mark("tools.footage", 0.9, 4, 17, "quote"), Mark("deviance.crime", 0.8, 22, 32, "quote"))


def units(*texts: str) -> list[Unit]:
    return gold_units(
        [GoldPost(str(i), "neighbourhood-watch", "whatsapp", t, frozenset()) for i, t in enumerate(texts)]
    )


def settings(url: str, **more: object) -> llm.Settings:
    return llm.Settings.model_validate({"url": url, "model": "m", "shots": 2, "patience": 2.0, "tries": 3} | more)


def run(server: LoopbackModel, *texts: str, **more: object) -> tuple[list[tuple[Mark, ...]], llm.Tally]:
    tally = llm.Tally()
    return list(llm.code(units(*texts), BOOK, settings(server.url, **more), tally)), tally


def test_a_good_answer_becomes_marks_with_their_place_in_the_text() -> None:
    """Codes come with the place of the words quoted, whatever their case; cost and tokens are counted."""
    with LoopbackModel(lambda body, n: GOOD) as server:
        marks, tally = run(server, TEXT, price_in=2.0, price_out=5.0)
    assert marks == [MARKS]
    assert (tally.posts, tally.tokens_in, tally.tokens_out, tally.cost) == (1, 100, 10, pytest.approx(0.00025))
    sent = server.requests[0]
    assert sent["response_format"]["json_schema"]["schema"] == schema(BOOK)
    assert sent["temperature"] == 0
    assert sent["messages"][-1]["content"].endswith(TEXT)


def test_a_quote_that_is_not_in_the_text_drops_its_code() -> None:
    """What the text does not say is no evidence: invented quotes and unknown codes are dropped and counted."""
    told = codes(("norms.doxing", 1.0, "zijn adres is"), ("no.such", 1.0, "beelden"), ("tools.footage", 0.7, ""))
    with LoopbackModel(lambda body, n: told) as server:
        marks, tally = run(server, TEXT)
    assert marks == [(Mark("tools.footage", 0.7, None, None, "whole post"),)]
    assert (tally.invented, tally.strange) == (1, 1)


def test_a_busy_server_is_asked_again_after_the_time_it_asks_for() -> None:
    """429, 503, a cut connection, an empty body and HTML are tried again, waiting as the server says."""
    bad = [
        Reply(429, b"slow down", {"Retry-After": "7"}),
        Reply(200, b"<html>", {}),
        Reply(200, b'{"choices": [', {}, sent=5),
    ]
    waits: list[float] = []
    with LoopbackModel(lambda body, n: bad[n - 1] if n <= len(bad) else GOOD) as server:
        chat = Chat(server.url, "m", tries=4, patience=2, sleep=waits.append)
        got = chat.ask([{"role": "user", "content": "x"}], {})
        chat.close()
    assert got.tries == 4
    assert waits[0] == 7.0
    assert len(waits) == 3


def test_a_slow_stream_is_given_up() -> None:
    """A server that drips its answer for longer than our patience has not answered."""
    drip = Reply(200, b" " * 400, piece=1, pause=0.05)
    with LoopbackModel(lambda body, n: drip) as server, pytest.raises(ModelUnreachable):
        run(server, TEXT, patience=0.3, tries=1)


def test_a_server_that_knows_no_schema_is_asked_for_plain_json() -> None:
    """After a 400 to the schema the same question goes out once more, asking for JSON only."""
    with LoopbackModel(lambda body, n: Reply(400, b"{}") if n == 1 else GOOD) as server:
        marks, _ = run(server, TEXT)
    assert marks == [MARKS]
    assert server.requests[1]["response_format"] == {"type": "json_object"}


def test_a_refused_key_ends_the_coding_at_once() -> None:
    """401, 403 and 404 are not tried again, and the message carries neither key nor post."""
    with LoopbackModel(lambda body, n: Reply(401, b"bad key")) as server, pytest.raises(ModelRejected) as error:
        run(server, TEXT, key="sk-secret")
    assert len(server.requests) == 1
    assert "secret" not in str(error.value)
    assert "inbraak" not in str(error.value)


def test_a_server_that_is_down_is_unreachable() -> None:
    """No server at the port is no crash, and no endless waiting."""
    with LoopbackModel(lambda body, n: GOOD) as server:
        url = server.url
    chat = Chat(url, "m", tries=2, patience=1, sleep=lambda _: None)
    with pytest.raises(ModelUnreachable):
        chat.ask([], {})


def test_refusals_are_counted_and_too_many_end_the_coding() -> None:
    """A refusal gives no marks; when more posts fail than tolerated, the coding stops and says how many."""
    refuse = answer(None, refusal="I cannot help with that")
    with LoopbackModel(lambda body, n: refuse) as server:
        marks, tally = run(server, TEXT, tolerance=1.0)
        assert (marks, tally.refused) == ([()], 1)
        with pytest.raises(ChatError, match="3 of 3"):
            run(server, TEXT, TEXT + "a", TEXT + "b", TEXT + "c")


def test_garbage_is_asked_for_once_more_with_another_seed() -> None:
    """An answer that is not the JSON asked for is asked for again; then the post counts as unreadable."""
    with LoopbackModel(lambda body, n: answer("Sure! Here are the codes") if body["seed"] == 0 else GOOD) as server:
        assert run(server, TEXT)[0] == [MARKS]
    with LoopbackModel(lambda body, n: answer('{"codes": [{"code": 3}]}')) as server:
        marks, tally = run(server, TEXT, tolerance=1.0)
    assert (marks, tally.unreadable, len(server.requests)) == ([()], 1, 2)


def test_the_cache_asks_nothing_twice_and_holds_no_text(tmp_path: Path) -> None:
    """The same question is answered from the cache; no file of it has a word of the post."""
    with LoopbackModel(lambda body, n: GOOD) as server:
        first, _ = run(server, TEXT, cache=str(tmp_path))
        second, tally = run(server, TEXT, cache=str(tmp_path))
    assert first == second == [MARKS]
    assert (tally.cached, len(server.requests)) == (1, 1)
    kept = [p.read_text() for p in tmp_path.rglob("*.json")]
    assert len(kept) == 1
    assert not any(word in kept[0].lower() for word in ("beelden", "inbraak", "persoon"))


def test_a_damaged_cache_is_asked_again(tmp_path: Path) -> None:
    """Half a file, as a crash leaves it, is no answer."""
    with LoopbackModel(lambda body, n: GOOD) as server:
        run(server, TEXT, cache=str(tmp_path))
        next(tmp_path.rglob("*.json")).write_text('[["tools.foo')
        assert run(server, TEXT, cache=str(tmp_path))[0] == [MARKS]
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "url", ["https://api.example.com/v1", "http://192.168.1.9:8000/v1", "http://localhost.example.com/v1"]
)
def test_a_host_outside_is_refused_unless_the_policy_names_it(url: str) -> None:
    """Only this machine, and hosts that a policy names, may see a post; look-alikes of localhost are outside."""
    with pytest.raises(RemoteModel):
        check_host(url, ())
    with pytest.raises(RemoteModel):
        next(iter(llm.code(units(TEXT), BOOK, settings(url))))
    host = check_host(url, (url.split("/")[2].split(":")[0],))
    assert host in url


@pytest.mark.parametrize("url", ["http://localhost:11434/v1", "http://127.0.0.1/v1", "http://[::1]:8080/v1"])
def test_this_machine_is_always_allowed(url: str) -> None:
    """Loopback by name, IPv4 or IPv6 needs no policy."""
    check_host(url, ())


def test_the_environment_says_which_model() -> None:
    """Without a model's name the coder says what to set; a key never shows."""
    with pytest.raises(ChatError, match="VELDWERK_LLM_MODEL"):
        llm.from_environment(environ={})
    made = llm.from_environment(environ={"VELDWERK_LLM_MODEL": "m", "VELDWERK_LLM_KEY": "sk-1"})
    assert "sk-1" not in repr(made)
    assert "sk-1" not in made.model_dump_json()


def test_the_prompt_shows_codes_examples_and_context() -> None:
    """Every code is described, examples cover many codes and one in four has none, and the thread is told."""
    posts = [
        GoldPost("a", "scam-fighters", "reddit", "Eerste bericht", frozenset(), "t"),
        GoldPost("b", "scam-fighters", "reddit", "Tweede", frozenset(), "t", "a"),
        GoldPost("c", "scam-fighters", "reddit", "Derde", frozenset(), "t", "b"),
    ]
    asked = messages(gold_units(posts)[2], BOOK, 8)
    assert all(c.id in asked[0]["content"] for c in BOOK.codes)
    assert "Eerste bericht" in asked[-1]["content"]
    assert "Tweede" in asked[-1]["content"]
    shown = examples(BOOK, 8)
    assert len(shown) == 8
    assert sum(not p.codes for p in shown) == 2
    assert len(set().union(*(p.codes for p in shown))) >= 10


@patient(deadline=None)
@given(st.text(max_size=60), st.integers(0, 60), st.integers(1, 30))
def test_a_quote_of_the_text_is_found_where_it_stands(text: str, start: int, length: int) -> None:
    """Whatever stretch of a text is quoted, the place found says the same words."""
    quote = text[start : start + length]
    marks, strange, invented = located([Given(code="tools.osint", quote=quote)], text, frozenset({"tools.osint"}))
    if len(marks) == 1 and marks[0].start is not None:
        found = text[marks[0].start : marks[0].end]
        assert found.split()
        assert found.casefold().split() == quote.strip().strip("\"'“”‘’").casefold().split()
    assert strange == 0
    assert len(marks) + invented == 1


@patient(deadline=None)
@given(st.text(max_size=200))
def test_no_answer_breaks_the_reader(text: str) -> None:
    """Any text is either the JSON asked for or Unreadable, with a message that does not quote it."""
    try:
        said = repr(parse(text))
    except Unreadable as error:
        said = str(error)
    assert said.startswith(("(", "not the JSON asked for: "))


def test_a_code_fence_is_forgiven() -> None:
    """Small models wrap JSON in a fence; that much is understood."""
    assert parse('```json\n{"codes": []}\n```') == ()
    assert json.loads('{"codes": []}') == {"codes": []}
