"""Case files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from flows.case import read_case, read_cases
from flows.collect import settings_of
from flows.errors import WrongUse

IDS = {"neighbourhood-watch", "hostage-factfinding", "justice-for-victim", "scam-fighters"}


def shipped(case: str = "scam-fighters") -> dict[str, object]:
    return read_cases()[case].model_dump(mode="json")


def test_the_four_cases_ship() -> None:
    """The shipped cases are the four of the study, each with a question, a basis and a retention."""
    cases = read_cases()
    assert set(cases) == IDS
    assert all(c.question and c.policy.legal_basis and c.policy.retention.days for c in cases.values())


def test_shipped_settings_fit_their_collectors() -> None:
    """Every source of a shipped case names a collector that exists, and its settings are what that collector takes."""
    from collectors import available, load_collector, load_importer

    live = set(available("collect"))
    for case in read_cases().values():
        for source in case.sources:
            load = load_collector if source.collector in live else load_importer
            settings_of(load(source.collector), case, source)


def test_a_case_survives_its_own_yaml() -> None:
    """Writing a case as YAML and reading it again gives the same case."""
    case = read_cases()["scam-fighters"]
    assert read_case(yaml.safe_dump(case.model_dump(mode="json")), "x/scam-fighters.yaml") == case


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("question",), None),
        (("sources", 0, "colector"), "reddit"),
        (("policy", "retention", "days"), -1),
        (("policy", "redaction"), "lax"),
        (("policy", "min_cell"), 0),
        (("title", "nl"), 7),
    ],
)
def test_a_fault_is_named_by_file_and_path(path: tuple[str | int, ...], value: object) -> None:
    """A wrong or unknown entry is refused, naming the file and the path in it, and not the value."""
    told = shipped()
    place: object = told
    for step in path[:-1]:
        place = place[step]  # type: ignore[index]
    place[path[-1]] = value  # type: ignore[index]
    with pytest.raises(WrongUse) as fault:
        read_case(yaml.safe_dump(told), "mine/scam-fighters.yaml")
    assert "mine/scam-fighters.yaml" in str(fault.value)
    assert ".".join(map(str, path)) in str(fault.value)


def test_broken_yaml_is_named_by_line() -> None:
    """A file that is no YAML is refused with the line where it breaks."""
    with pytest.raises(WrongUse, match=r"a\.yaml: not YAML at line 2"):
        read_case("id: a\ntitle: [", "a.yaml")


def test_an_id_is_the_file_name() -> None:
    """A case whose id is not its file's name is refused: scripts find cases by file."""
    with pytest.raises(WrongUse, match="must be the file's name"):
        read_case(yaml.safe_dump(shipped()), "other.yaml")


def test_two_sources_of_one_name_are_refused() -> None:
    """Two sources of one name would share a cursor; they are refused."""
    told = shipped()
    told["sources"] = [told["sources"][0]] * 2  # type: ignore[index]
    with pytest.raises(WrongUse, match="same name"):
        read_case(yaml.safe_dump(told), "scam-fighters.yaml")


def test_another_folder_of_cases(tmp_path: Path) -> None:
    """VELDWERK_CASES may name another folder; an absent or empty one is an error that names it."""
    with pytest.raises(WrongUse, match="no such folder"):
        read_cases(tmp_path / "none")
    with pytest.raises(WrongUse, match="holds no case"):
        read_cases(tmp_path)
    told = {**shipped(), "id": "mine"}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    assert list(read_cases(tmp_path)) == ["mine"]
