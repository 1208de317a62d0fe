"""Laws of opening exports: bounded, in place, and never outside."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from collectors import UnreadableExport, available, detect, load_importer
from collectors._files import FREE, Entry, TooLong, entries, guess_encoding, lines, opened
from collectors._stream import moment, pieces


@pytest.mark.parametrize("name", ["../uit.txt", "/etc/uit.txt", "a/../../uit.txt", "C:\\uit.txt", "..\\uit.txt"])
def test_a_member_that_leads_outside_is_refused(name: str, tmp_path: Path) -> None:
    """An archive with such a name is not read at all."""
    path = tmp_path / "slecht.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(UnreadableExport, match=r"slecht\.zip: .*outside"):
        entries(path)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """What would unpack to hundreds of times its size is refused by its own table of contents."""
    path = tmp_path / "bom.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("_chat.txt", "w") as member:
        for _ in range(FREE // (1 << 20) + 1):
            member.write(b"0" * (1 << 20))
    with pytest.raises(UnreadableExport, match="unpacks to more than"):
        entries(path)
    assert not any(load_importer(name).sniff(path) for name in available("read"))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_packed_stream_that_never_ends_is_stopped(pack: object, tmp_path: Path) -> None:
    """A gz or zst that unpacks to hundreds of times its size stops with an error instead of filling the memory."""
    path = tmp_path / "bom.ndjson.gz"
    path.write_bytes(pack(b"0" * (FREE + (1 << 20))))  # type: ignore[operator]
    with pytest.raises(UnreadableExport, match="unpacks to more than"):
        for _ in lines(Entry(path)):
            pass


def test_a_protected_zip_says_so(tmp_path: Path) -> None:
    """An encrypted member is named as the reason."""
    path = tmp_path / "geheim.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_chat.txt", "x")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(UnreadableExport, match="password"):
        entries(path)


def test_every_kind_of_packing_gives_the_same_bytes(tmp_path: Path) -> None:
    """Plain, zip, tar.gz, gz and zst of one text are the same text."""
    text = "één\ntwee\n".encode()
    plain = tmp_path / "a.txt"
    plain.write_bytes(text)
    (tmp_path / "a.gz").write_bytes(gzip.compress(text))
    (tmp_path / "a.zst").write_bytes(zstandard.ZstdCompressor().compress(text))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("map/a.txt", text)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("map/a.txt")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    for path in sorted(tmp_path.iterdir()):
        (entry,) = entries(path)
        with opened(entry) as handle:
            assert handle.read() == text, path.name


@given(st.lists(st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=("Cs",))), max_size=20))
def test_lines_come_back_as_they_were(written: list[str]) -> None:
    """Reading line by line loses nothing but the ends of lines."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_text("".join(f"{t}\r\n" for t in written), encoding="utf-8", newline="")
        assert list(lines(Entry(path), encoding="utf-8")) == written


def test_a_long_line_is_cut_and_the_next_is_whole(tmp_path: Path) -> None:
    """A line beyond the limit comes as its beginning, and does not eat the line after it."""
    path = tmp_path / "a.txt"
    path.write_text("a" * 5000 + "\nb\n" + "c" * 50)
    first, second, third = lines(Entry(path), limit=50)
    assert (type(first), len(first), second, third) == (TooLong, 50, "b", "c" * 50)


@given(st.text(min_size=1), st.integers(0, 3))
def test_utf8_is_known_wherever_it_is_cut(text: str, cut: int) -> None:
    """The encoding of a text is found from any beginning of it."""
    data = text.encode("utf-8", "ignore")
    data = data[: len(data) - cut]
    if data.count(0) <= len(data) // 4 and not text.startswith(("\ufeff", "\ufffe")):
        assert guess_encoding(data) == "utf-8"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values, st.sampled_from([None, 2]))
def test_json_read_in_pieces_is_json_read_whole(value: object, indent: int | None) -> None:
    """Walking into every container gives the same leaves, in the same order, as decoding at once."""
    import tempfile

    def leaves(found: object) -> list[object]:
        if isinstance(found, dict):
            return [leaf for v in found.values() for leaf in leaves(v)]
        return [leaf for v in found for leaf in leaves(v)] if isinstance(found, list) else [found]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        path.write_text(json.dumps(value, indent=indent), encoding="utf-8")
        assert [v for _, v in pieces(Entry(path), lambda where: True)] == leaves(value)
        assert list(pieces(Entry(path), lambda where: False)) == [((), value)]


def test_json_larger_than_a_chunk_is_read_in_pieces(tmp_path: Path) -> None:
    """Values across the borders of what is read at once stay whole, numbers too."""
    values = [{"n": n, "t": "é" * (n % 7000)} for n in range(1500)] + list(range(10**6, 10**6 + 200_000))
    path = tmp_path / "a.json"
    path.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
    assert [v for _, v in pieces(Entry(path), lambda where: where == ())] == values


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1_700_000_000, "2023-11-14T22:13:20+00:00"),
        ("1700000000", "2023-11-14T22:13:20+00:00"),
        (1_700_000_000_000, "2023-11-14T22:13:20+00:00"),
        ("2023-11-14T23:13:20+01:00", "2023-11-14T22:13:20+00:00"),
        ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20+00:00"),
        ("2023-11-14T22:13:20", None),
        (0, None),
        (True, None),
        ("nan", None),
        (1e300, None),
        ("0001-01-01T00:00:00+23:00", None),
        ([], None),
    ],
)
def test_a_moment_is_sure_or_it_is_none(value: object, wanted: str | None) -> None:
    """Seconds, milliseconds and ISO with a zone are times; defaults and times without a zone are not."""
    found = moment(value)
    assert (found.isoformat() if found else None) == wanted


def test_an_unknown_file_is_refused_with_the_formats_that_exist(tmp_path: Path) -> None:
    """What no importer knows names them all."""
    path = tmp_path / "raar.bin"
    path.write_bytes(bytes(range(256)) * 10)
    with pytest.raises(UnreadableExport) as caught:
        detect(path)
    assert all(name in str(caught.value) for name in available("read"))


@given(st.binary(max_size=600))
def test_no_importer_stumbles_over_a_foreign_file(noise: bytes) -> None:
    """`sniff` never raises, whatever stands in a file."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        path.write_bytes(noise)
        for name in available("read"):
            assert load_importer(name).sniff(path) in (True, False)
