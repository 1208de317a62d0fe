"""POSTCODE and ADDRESS: postcodes, streets by their ending, with the house number before or after them or alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .found import Found
from .reading import Reading

JOINED = re.compile(r"(?<![\w\-/.,€])[1-9]\d{3}(?!sa|sd|ss)[a-z]{2}(?!\w)")
SPACED = re.compile(r"(?<![\w\-/.,€])[1-9]\d{3} (?!SA|SD|SS)[A-Z]{2}(?![\w'])")
LOW_SPACED = re.compile(r"(?<![\w\-/.,€])[1-9]\d{3} (?!sa|sd|ss)[a-z]{2}(?![\w'])")
TOLD = re.compile(r"\b(?:postcode|pc)\b[^\n\d]{0,14}([1-9]\d{3})(?!\d)(?: ?[a-z]{2}\b)?")
WORDS = frozenset(
    "is en de te of op in om ik je ze we wa nu er al na zo ja eu km kg cm mm ml pk mb gb uu st nr hm hè he ha ah oh ok bv nv tv "
    "pc cd ca pp ps pm am dm md mg kw gr oz ft as at be by do du el et eh go hi if it la le ma me mi mn my no nl nou of pa ri "
    "so to tu up us va vd zn zn m² m2 ex ca ie ai aj an dr ds ir mr mw bn dj id ie kk tm ff".split()
)
STRONG = (
    "straat|straatje|str|laan|laantje|steeg|steegje|plein|pleintje|singel|dreef|plantsoen|gracht|kade|boulevard|strjitte|leane|"
    "allee|avenue|promenade|lei|kaai|rijksweg|parallelweg|ringbaan|trambaan|spoorbaan|ringweg|stationsweg|dorpsweg"
)
WEAK = (
    "weg|weggetje|pad|hof|hofje|park|dijk|wal|markt|brug|haven|veld|velden|weide|weiden|horst|kamp|hoek|oord|brink|gang|plaats|"
    "route|kolk|vest|burg|oever|zoom|donk|rode|akker|beemd|berg|baan|hout|erf|erve|es|stede|sluis|poort|pleintje|ven|meent|rak|vliet"
)
TITLES = (
    "lange|korte|oude|nieuwe|grote|kleine|hoge|lage|gedempte|burgemeester|burg\\.|wethouder|dokter|dr\\.|professor|prof\\.|pastoor|"
    "koningin|koning|prins|prinses|graaf|gravin|jonkheer|jhr\\.|generaal|admiraal|kapitein|sint|st\\.|van|van de|van der|van den|eerste|"
    "tweede|derde|1e|2e|3e|noordelijke|zuidelijke|mr\\.|jan|piet|willem|anna|maria|paul|pieter|karel|hendrik|johan|prinsen|de"
)
NUMBER = r"(?:,?\s(?:nr\.?|nummer|no\.?)?\s?\d{1,4}(?:[\s-]?(?:[a-z](?![\w'])|hs|huis|bis|zwart|rood|[ivx]{1,4}(?!\w)|\d{1,3}(?!\w|[.,:/]\d|\s?uur)))?(?![\w]|[.:,]\d|\s(?:uur|jaar|man|keer|euro|mensen|minuten|meter|km|dagen|weken)\b))"
STREET = re.compile(
    rf"(?<![\w-])(?:(?:{TITLES})\s){{0,3}}(?P<word>[^\W\d_][\w'.-]*?(?P<end>{STRONG}|{WEAK}))(?:-(?:noord|zuid|oost|west))?(?P<dot>(?<=str)\.)?(?![\w]|-\w)(?P<number>{NUMBER})?"
)
ALONE = re.compile(
    rf"(?<![\w-])(?P<word>markt|singel|brink|parade|deel|dam|plein|kade|kerkstraat|gracht)(?P<number>{NUMBER})"
)
BEFORE = re.compile(
    r"(?:\b(?:bij|op|nr\.?|nummer|van|naar)\s)?(?<![\w.,:/-])(?P<number>\d{1,4}(?:\s?-?[a-z]|[\s-]?(?:hs|bis|[ivx]{1,3}))?)\s(?:in|op|aan|van)\sde\s$|(?<![\w.,:/-])(?P<n2>\d{1,4}[a-z]?)\s(?:in|op|aan)\s(?:het|t|'t)\s$"
)
PREPOSITION = re.compile(
    r"(?:\b(?:in|op|aan|bij|van|naar|uit|via|langs|over|rond|achter|door|halte|hoek|voor|richting|vanaf|t/m|tot|naast)\s(?:de|het|t|'t)?\s?|\bde\s|\bhet\s)$"
)
ORDINARY = re.compile(
    r"(?:snel|auto|water|fiets|wandel|onder|half|hals|straat|spoor|voet|zand|ei|bos|rij|uit|af|land|door|om|binnen|buiten|ver|"
    r"kruis|zij|hoofd|omleidings?|toegangs|in|op|aan|rond|voor|terug|heen|over|tussen|levens|zoek|been|mid|dood|werk|kort|los|plat|"
    r"eigen|invals|uitvals|noord|kronkel|vlieg|lijd|lucht|school|opper|hele|ring|ruiter|jaag|zebra|ijs|vak|bouw|super|rommel|vlooien|"
    r"week|jaar|kerst|arbeids|huizen|woning|zwarte|thuis|tuin|pret|attractie|speel|zee|slag|sport|voetbal|vee|parkeer|werk|zit|slaap|"
    r"plaats|stand|woon|vind|rust|haven|gerechts|rechts|gast|stads|stads|kerk|begraaf|rond|trottoir|parcours|vliegveld|bedrijven|natuur|"
    r"wagen|auto|machine|lunapark|industrie|dieren|vakantie|bungalow|volks|oorlogs|kamp|tennis|dans|werp|hang|op|gang|voor|na|doorgang|"
    r"eet|loop|in|uit|toe|voort|teams?|kop|rug|dwars|achter|haar|krijgs)?"
    r"(?:weg|weggetje|pad|hof|hofje|park|dijk|wal|markt|brug|haven|veld|velden|weide|weiden|horst|kamp|hoek|oord|gang|plaats|route|kolk|"
    r"vest|burg|oever|zoom|rode|akker|berg|baan|hout|erf|es|sluis|poort|ven|straat|straatje|laan|plein|pleintje|gracht|kade|steeg|dreef|singel|boulevard|str|lei|allee|promenade|plantsoen|avenue|stede|rak|brink|donk|ringweg|ringbaan|rijksweg|spoorbaan|parallelweg)"
)


def find(text: Reading) -> Iterator[Found]:
    """POSTCODE and ADDRESS in *text*."""
    if text.digits:
        yield from _postcodes(text)
    yield from _streets(text)


def _postcodes(text: Reading) -> Iterator[Found]:
    for m in JOINED.finditer(text.low):
        if m.group()[4:] not in {
            "km",
            "kg",
            "eu",
            "pk",
            "mm",
            "cm",
            "ml",
            "kw",
            "mb",
            "gb",
            "st",
            "nd",
            "th",
            "rd",
        }:
            yield Found(m.start(), m.end(), "POSTCODE")
    for m in SPACED.finditer(text.plain):
        if m.group()[5:].lower() not in {"en", "is", "eu", "km", "kg", "in", "of", "de"}:
            yield Found(m.start(), m.end(), "POSTCODE")
    for m in LOW_SPACED.finditer(text.low):
        if m.group()[5:] not in WORDS:
            yield Found(m.start(), m.end(), "POSTCODE")
    if "postcode" in text.low or "pc" in text.low:
        for m in TOLD.finditer(text.low):
            yield Found(m.start(1), m.end(), "POSTCODE")


def _streets(text: Reading) -> Iterator[Found]:
    low = text.low
    for m in STREET.finditer(low):
        word, end = m.group("word"), m.group("end")
        stem = word[: len(word) - len(end)]
        if len(stem) < 2 or (
            ORDINARY.fullmatch(word) and not (m.group("number") and text.plain[m.start("word")].isupper())
        ):
            continue
        upper = text.plain[m.start("word")].isupper()
        strong = end in STRONG.split("|")
        if (
            not strong
            and not m.group("number")
            and not (upper and PREPOSITION.search(low[max(0, m.start() - 16) : m.start()]))
        ):
            continue
        yield from _with_number(low, m.start(), m.end())
    for m in ALONE.finditer(low):
        yield Found(m.start(), m.end(), "ADDRESS")


def _with_number(low: str, start: int, end: int) -> Iterator[Found]:
    """The street, with a number that stands before it: "14b in de lijsterlaan"."""
    before = BEFORE.search(low[max(0, start - 24) : start])
    if before:
        number = before.start("number") if before.group("number") else before.start("n2")
        start = max(0, start - 24) + number
    yield Found(start, end, "ADDRESS")
