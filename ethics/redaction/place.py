"""POSTCODE and ADDRESS: postcodes; streets by their ending, with the house number behind or before them, or alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from .found import Found
from .lexicon import BRAND, FIRST, FIRST_FAR, PLACE, PROPER, listed, shipped
from .reading import EDGE, OTHER_MASK, Reading, Recogniser, Sheet

JOINED = re.compile(r"(?<![\w\-/.,€])[1-9]\d{3}(?!sa|sd|ss)[a-z]{2}(?!\w)")
SPACED = re.compile(r"(?<![\w\-/.,€])[1-9]\d{3} (?!SA|SD|SS)[A-Z]{2}(?![\w'])")
LOW_SPACED = re.compile(r"(?<![\w\-/.,€])[1-9]\d{3} (?!sa|sd|ss)[a-z]{2}(?![\w'])")
TOLD = re.compile(r"\b(?:postcode\w*|pc)\b[^\n\d]{0,14}([1-9]\d{3}(?!\d)(?: ?[a-z]{2}\b)?)")
PLATE = re.compile(r"(?:plaat|kenteken)\W[^\n0-9]*$")
NOT_JOINED = listed("""km kg eu pk mm cm ml kw mb gb st nd th rd ha hz rpm er en""")
NOT_SPACED = listed("""en is eu in of de ha""")
WORDS = NOT_JOINED | NOT_SPACED | listed("""
    te op om ik je ze we wa nu er al na zo ja uu nr hm hè he ah oh ok bv nv tv pc cd ca pp ps pm am dm md mg gr oz
    ft as at be by do du el et eh go hi if it la le ma me mi mn my no nl nou pa ri so to tu up us va vd zn m2 ex ie
    ai aj an dr ds ir mr mw bn dj id kk tm ff
""")  # fmt: skip

UNITS = listed("""
    kw mb gb pk km kg cm mm ml pc cd pp ps pm am ir mr dr ds zn vd va ex bv nv tv
""")
BEFORE_TOWN = re.compile(r"(?<![\w\-/.,€])(?!19|20)[1-9][0-9]{3}(?= (?P<town>[^\W\d_][\w-]{2,}))")
STRONG = listed("""
    straat straatje strjitte laan laantje steeg steegje plein pleintje singel dreef plantsoen gracht kade boulevard
    allee avenue promenade kaai rijksweg parallelweg ringbaan trambaan ringweg stationsweg dorpsweg steenweg str.
    leane
""")
WEAK = listed("""
    weg pad hof hofje park dijk wal markt brug haven veld velden weide weiden horst kamp hoek brink gang plaats
    route kolk vest oever zoom akker baan erf poort meent vliet weer donk leane str route doelen werf stede waard
    kant tuin
""")
SHORTENED = listed("""ln wg pln plnts sngl drf dyk wei reed bolwerk gr mrkt""")
"""Endings that count with a capital and a number only."""
TOWN_LIKE = listed("""
    haven hoek vliet kamp waard horst veld velden donk vest poort stede kant tuin meent werf brug weer oever gang
""")
ENDINGS = tuple(STRONG | WEAK | SHORTENED)
LAST_LETTERS = frozenset(e[-2:] for e in ENDINGS)
CLEAR, PLAIN_WORD, LIKELY, DOUBTFUL, TOWN, ALONE, SHORT = 1, 2, 3, 4, 5, 6, 7
"""
A street's ending on no ordinary word; on one; a weaker ending on no ordinary word; on one, or like a town's; an
ending by itself; an abbreviation.
"""
GENERIC = listed("""
    oprijlaan toegangslaan schoolplein speelplein binnenplein voorplein winkelstraat wasstraat autowasstraat
    milieustraat hoofdstraat zijstraat achterstraat teststraat vaccinatiestraat woonstraat fietsstraat
    voetgangersstraat dwarsstraat straat laan plein steeg gracht kade singel dreef boulevard promenade rijksweg
    trambaan marktplaats mediamarkt supermarkt bouwmarkt achterhoek waterweg straatkant spoorkant overkant
    binnenkant buitenkant achterkant voorkant zijkant bovenkant onderkant
""")
VERB = re.compile(
    r"(?:ver|in|door|over|op|neer|aan|dood|af|toe|uit|terug|om|be|stuk|kort|mis|plat|tegen|bij|ont|weg|ge|gade)?slaan"
)
COMMON = listed("""
    snelweg autoweg omweg zandweg landweg hoofdweg zijweg kruisweg uitweg voorrangsweg ventweg toegangsweg
    uitvalsweg bosweg karrenweg luchtweg verkeersweg aanvoerweg fietspad voetpad zebrapad wandelpad zandpad bospad
    rijweg waterweg spoorweg supermarkt bouwmarkt rommelmarkt vlooienmarkt weekmarkt kerstmarkt woningmarkt
    arbeidsmarkt huizenmarkt beurs parkeerplaats werkplaats standplaats woonplaats vindplaats speelplaats
    luchtplaats ingang uitgang toegang doorgang overgang voortgang achtergang hoofdgang afgang ondergang opgang
    rondgang inham speelpark vakantiepark bungalowpark pretpark zwembad sportpark industriepark bedrijvenpark
    voetbalveld sportveld speelveld grasveld vliegveld slagveld vakantiehof gerechtshof kerkhof politiepost buspaal
    lijnroute vluchtroute omleidingsroute sluiproute looproute renbaan kartbaan ijsbaan rijbaan landingsbaan
    startbaan atletiekbaan loopbaan tramhaven luchthaven vliegveldhaven jachthaven zeehaven brug dorpskerk
""")
BARE = listed("""
    gracht markt haven kade singel dijk vest brink rijksweg steenweg trambaan ringbaan parallelweg gang weg straat
    wal dam baan boulevard dreef
""")
ADJECTIVE = re.compile(r"\b(?:Lange|Korte|Oude|Nieuwe|Grote|Kleine|Hoge|Lage|Gedempte|Achter|Voor|Eerste|Tweede)\s$")
WORD = re.compile(r"[^\W\d_][\w'-]*[^\W_]\.?")
NUMBER = re.compile(
    r"(?:\.?\s(?:nr\.?|nummer|no\.?)?\s?\d{1,4}"
    r"(?:[\s-]?(?:[a-z](?![\w'])|hs|huis|bis|zwart|rood|[ivx]{1,4}(?!\w)|\d{1,3}(?![\w.,:/]\w|\w|\s?(?:uur|jaar|"
    r"x\b))))?"
    r"(?:\s?\d?\s?hoog|\sbus\s\d{1,4})?"
    r"(?![\w]|[.:,/]\d|\s(?:uur|jaar|man|keer|euro|mensen|minuten|min|meter|km|dagen|weken|maanden|x|x\w*|jan\w*|"
    r"feb\w*|maart|april|mei|juni|juli|aug\w*|"
    r"sept\w*|okt\w*|nov\w*|dec\w*|agenten|auto\w*|wagens|busjes?|motoren|jongens|personen|van de|of)\b))"
)
BEFORE = re.compile(
    r"(?:(?:\b(?:bij|huis)\s)?(?P<a>(?:\b(?:nr\.?|nummer|huisnr\.?)\s|(?<=\bbij\s)|"
    r"(?<=\bhuis\s))\d{1,4}(?:\s?-?[a-z]|[\s-]?(?:hs|bis|[ivx]{1,3}))?)"
    r"|(?<![\w.,:/-])(?P<b>\d{1,4}-?[a-z]))\s(?:in|op|aan|van)\s(?:de|het|t|'t)\s$"
)
LOCATED = re.compile(
    r"\b(?:in|op|aan|bij|van|naar|uit|via|langs|over|rond|rondom|achter|door|halte|hoek|voor|richting|vanaf|t/m|tot|"
    r"naast|tussen|en|heel|hele|"
    r"tegenover|ingang|verzamelen|kruising|woont|behalve|omgeving|dat|is|houd|als|namens)\s(?:(?:de|het|t|'t|den|d'|"
    r"heel|hele)\s)?$"
)
ARTICLE = re.compile(
    r"\b(?:in|op|aan|bij|langs|over|rond|door|achter|vanaf|via|naar|van|hele|heel|tot|uit|boven|is|en|t/m|"
    r"tussen)\s(?:de|het|'t|t|den)\s$"
)
CROSSING = re.compile(r"(?:\b(?:kruising|hoek|omgeving|verzamelen|t\.h\.v\.|thv|woont)|\s[/=+])\s$")
NAMED = re.compile(r"(?:(?<![\w'-])(?:[A-ZÀ-Þ][\w'.-]*|[1-9]e)\s(?:van(?: de| der| den| 't)?\s)?)+$")
TITLES = listed("""
    president professor minister lange korte oude nieuwe grote kleine hoge lage gedempte burgemeester burg wethouder
    dokter dr prof pastoor koningin koning prins prinses graaf gravin jonkheer jhr generaal admiraal kapitein sint
    st eerste tweede derde 1e 2e 3e mr noordelijke zuidelijke
""")
LOW_NAMED = re.compile(
    r"(?<![\w-])(?:(?:lange|korte|oude|nieuwe|grote|kleine|hoge|lage|gedempte|burgemeester|burg\.|wethouder|dokter|"
    r"dr\.|professor|prof\.|"
    r"pastoor|koningin|koning|prins|prinses|graaf|jonkheer|generaal|admiraal|sint|st\.|eerste|tweede|derde|1e|2e|3e|"
    r"van)\s)+$"
)
FUNCTION_WORDS = listed("""
    de het een in op aan bij van voor door met naar via over uit en of dat die dit deze er hier daar ik je we ze hij
    wij heel hele niet nee ja wat wie waar hoe als maar dus want toen nu bewoners buurt politie woningoverval
    inbraak verzamelen namens vanaf tussen richting tot iedereen
""")
SQUARES = re.compile(
    r"\b(?:op|aan|over|rond|via|langs|naar|van|behalve|bij|en|t/m|dat|als)\s(?:de|het|t|'t)\s(?P<word>(?:oude\s|"
    r"nieuwe\s|grote\s)?(?:Markt|Brink|Dam|Parade|Singel|"
    r"Bolwerk|Plein|Wal|Haven|Kade|Dijk|Gracht|Ringbaan|Ring|Vest|Hof))(?!\w|-)",
    re.IGNORECASE,
)
SUFFIX = re.compile(r"-(?:noord|zuid|oost|west|achter)\.?$|\.$")
WITH_POSTCODE = re.compile(
    r"(?<![\w-])(?:[A-ZÀ-Þ]|'t )[\w'-]+(?: [A-ZÀ-Þ][\w'-]+){0,3} [0-9]{1,4}(?:[ -]?[A-Za-z0-9]{1,3})?"
    r"(?=,? \(?[1-9][0-9]{3} ?[A-Za-z]{2}(?!\w))"
)
WITH_NUMBER = re.compile(
    r"\b(?:op|aan|ingeschreven|gevestigd)\s(?:(?:op|de|het|"
    r"'t)\s)?(?P<street>(?:'t )?[A-ZÀ-Þ][\w'-]{3,} [0-9]{1,4}-?[a-zA-Z]?)(?=[,;.!?)]|\s?$|\n| en | met | boven )"
)
LABELLED = re.compile(
    r"\b(?i:locatie|object|adres|perceel|pand|woning)\b:?\s(?:[^\n.:;,]{0,30}, )?(?P<street>[A-ZÀ-Þ][\w'-]{3,20}"
    r"(?: (?:van|de|den|der|en|te|ter|het|[A-ZÀ-Þ][\w'-]{1,20})){0,4} [0-9]{1,4}[a-z]?)(?![\w-])"
)
AT_HOME = re.compile(
    r"\b(?:woning(?:en)?|huis|pand|bedrijf(?:spand)?|tuin|flat|appartement|school|café|kroeg|kerk|dorpshuis|garage|box|loods|"
    r"woont|wonen|woonde|deur|schuur|berging|bewoner|kelder)\s(?:aan|op)\s(?:(?:de|het|'t)\s)?"
    r"(?P<street>(?:De |Het |'t )?[A-ZÀ-Þ][a-zß-ÿ'-]{3,}(?:\s[A-ZÀ-Þ][a-zß-ÿ'-]{3,})?)(?![\w-])"
)
POSTCODE_SCREEN = re.compile(r"[1-9]\d{3} ?[^\W\d_]")
TOLD_SCREEN = re.compile(r"postcode\w*[^\n\d]{0,14}[1-9]\d{3}|pc\b[^\n\d]{0,14}[1-9]\d{3}")
HOUSE_SCREEN = re.compile(r"[0-9](?:[ -]?[a-z0-9]{1,3})?,? \(?[1-9][0-9]{3} ?[a-z]{2}")
LABEL_SCREEN = re.compile(r"(?:locatie|object|adres|perceel|pand|woning):?\s[^\n]{0,160}?[0-9]")
AT_SCREEN = re.compile(r"(?:op|aan|ingeschreven|gevestigd)\s(?:(?:op|de|het|'t)\s)?(?:'t )?\S[\w'-]{3,} [0-9]")
SQUARE_SCREEN = re.compile(
    r"\s(?:de|het|t|'t)\s(?:oude\s|nieuwe\s|grote\s)?(?:markt|brink|dam|parade|singel|bolwerk|plein|wal|haven|kade|"
    r"dijk|gracht|ring|vest|hof)"
)
HOME_SCREEN = re.compile(r"\s(?:aan|op)\s(?:(?:de|het|'t)\s)?(?:De |Het |'t )?[A-ZÀ-Þ][a-zß-ÿ'-]{3}")
MOST = 100_000


class _Classes(dict[str, int]):
    """The class of each word, worked out when first asked for."""

    def __missing__(self, word: str) -> int:
        kind = _street_class(word)
        if not kind and ("-" in word or word[-1] == "."):
            kind = _street_class(SUFFIX.sub("", word))
        self[word] = kind
        return kind


class _Pieces(dict[str, int]):
    """Of what stands between spaces 1 when a word in it has a class, else 0; -1 for an edge."""

    def __missing__(self, piece: str) -> int:
        kind = self[piece] = -1 if piece == EDGE else int(any(_classes[w] for w in WORD.findall(piece)))
        return kind


_classes, _pieces = _Classes(), _Pieces()


def postcodes(text: Reading) -> Iterator[Found]:
    """POSTCODE in *text*."""
    for m in JOINED.finditer(text.low):
        if m.group()[4:] not in NOT_JOINED:
            yield Found(m.start(), m.end(), "POSTCODE")
    for m in SPACED.finditer(text.plain):
        if m.group()[5:].lower() not in NOT_SPACED and not _in_plate(text, m.start()):
            yield Found(m.start(), m.end(), "POSTCODE")
    for m in LOW_SPACED.finditer(text.low):
        letters = m.group()[5:]
        in_row = text.low[m.start() - 3 : m.start()].strip(" ,(") == OTHER_MASK
        likely = letters not in WORDS or in_row or (letters in UNITS and _town_at(text, m.end() + 1))
        if likely and not _in_plate(text, m.start()):
            yield Found(m.start(), m.end(), "POSTCODE")
    for m in BEFORE_TOWN.finditer(text.plain):
        if m.group("town")[0].isupper() and shipped().bits(m.group("town")) & PLACE:
            yield Found(m.start(), m.end(), "POSTCODE")
    if "postcode" in text.low or "pc" in text.low:
        for m in TOLD.finditer(text.low):
            digits, _, letters = m.group(1).partition(" ")
            yield Found(m.start(1), m.start(1) + len(digits) if letters in WORDS else m.end(1), "POSTCODE")


def _in_plate(text: Reading, start: int) -> bool:
    """Whether "plaat" or "kenteken" stands shortly before."""
    return PLATE.search(text.low[max(0, start - 24) : start]) is not None


def _town_at(text: Reading, start: int) -> bool:
    """Whether a word with a capital, or a town, begins at *start*."""
    m = WORD.match(text.plain, start)
    return (
        m is not None
        and text.plain[start - 1] == " "
        and (m.group()[0].isupper() or bool(shipped().bits(m.group()) & PLACE))
    )


def _with_street(sheet: Sheet) -> set[int]:
    """The readings of a sheet that have a word with a class."""
    if len(_pieces) > MOST:
        _classes.clear()
        _pieces.clear()
    kinds = np.array([*map(_pieces.__getitem__, sheet.low.replace(EDGE, f" {EDGE} ").split())], np.int8)
    return set(np.searchsorted(np.flatnonzero(kinds < 0), np.flatnonzero(kinds > 0)).tolist())


def _street_class(word: str) -> int:
    """How much *word* (lower case) looks like a street: 0 not at all, or one of the classes."""
    if word[-2:] not in LAST_LETTERS or not word.endswith(ENDINGS):
        return 0
    end = max((e for e in ENDINGS if word.endswith(e)), key=len)
    stem = word[: -len(end)].rstrip("-")
    bits = shipped().bits(word.rstrip("."))
    if not stem and word in BARE:
        return ALONE
    if len(stem) < 2 or bits & (FIRST | FIRST_FAR) or VERB.fullmatch(word):
        return 0
    if bits & PLACE:
        return TOWN
    if end == "laan" and word not in GENERIC:
        return CLEAR
    plain_word = word in GENERIC or bool(bits & BRAND) or shipped().ordinary(word)
    if end in STRONG:
        return PLAIN_WORD if plain_word else CLEAR
    if end in SHORTENED:
        return 0 if plain_word else SHORT
    return TOWN if end in TOWN_LIKE else DOUBTFUL if plain_word else LIKELY


def streets(text: Reading) -> Iterator[Found]:
    """ADDRESS in *text* by words with a street's ending."""
    low = text.low
    for m in WORD.finditer(low):
        word = m.group()
        kind = _classes[word]
        if not kind:
            continue
        start, end = m.start(), m.end() - (word[-1] == "." and not word.endswith("str."))
        number = NUMBER.match(low, end)
        first = _first(text, start)
        if _is_street(text, kind, start, first, number is not None):
            yield Found(_number_before(text, first), number.end() if number else end, "ADDRESS")


def houses(text: Reading) -> Iterator[Found]:
    """ADDRESS in *text* by a house number: before a postcode, or behind a word that says that a place is meant."""
    for m in WITH_POSTCODE.finditer(text.plain):
        yield Found(m.start(), m.end(), "ADDRESS")
    for m in WITH_NUMBER.finditer(text.plain):
        town = 0 if m.group().count(" de ") else PLACE
        if not shipped().bits(m.group("street").split()[0]) & (BRAND | town):
            yield Found(*m.span("street"), "ADDRESS")
    for m in LABELLED.finditer(text.plain):
        if not shipped().bits(m.group("street").split()[0]) & BRAND:
            yield Found(*m.span("street"), "ADDRESS")


def homes(text: Reading) -> Iterator[Found]:
    """ADDRESS in *text* by a building that stands there: "de flat aan de Kolk"."""
    for m in AT_HOME.finditer(text.plain):
        if not shipped().bits(m.group("street").split()[-1]) & (BRAND | PLACE):
            yield Found(*m.span("street"), "ADDRESS")


def squares(text: Reading) -> Iterator[Found]:
    """ADDRESS in *text* of squares and the like that have no other name: "op de Markt"."""
    for m in SQUARES.finditer(text.plain):
        start, end = m.span("word")
        last = m.group("word").rpartition(" ")[2]
        number = NUMBER.match(text.low, end)
        if last[0].isupper() or (number and last.lower() in {"markt", "singel", "brink"}):
            yield Found(start, number.end() if number else end, "ADDRESS")


def _is_street(text: Reading, kind: int, start: int, first: int, numbered: bool) -> bool:
    """Whether the word at *start*, whose street may begin at *first*, is one where it stands."""
    if kind == CLEAR:
        return True
    before = text.low[max(0, first - 40) : first]
    upper = text.plain[start].isupper()
    opening = not before.strip() or before.rstrip(" '\"([")[-1:] in ".!?:\n"
    after_article = ARTICLE.search(before) is not None
    if kind == LIKELY:
        return numbered or (upper and (not opening or LOCATED.search(before) is not None)) or after_article
    if kind == PLAIN_WORD:
        named = _word_at(text, start) not in GENERIC
        return numbered or (upper and not opening) or (named and (after_article or CROSSING.search(before) is not None))
    if kind == ALONE:
        adjective = ADJECTIVE.search(text.plain[max(0, start - 16) : start]) is not None
        ring = after_article and _word_at(text, start) in {"ringbaan", "parallelweg", "rijksweg", "ringweg"}
        return ring or (upper and (numbered or adjective))
    if numbered and not upper:
        return _word_at(text, start) not in COMMON
    if kind == SHORT:
        return upper and numbered
    if kind == TOWN:
        return upper and (numbered or after_article)
    word = _word_at(text, start)
    road = word.endswith("weg") and after_article and word not in COMMON
    return word not in GENERIC and (road or (upper and (numbered or LOCATED.search(before) is not None)))


def _word_at(text: Reading, start: int) -> str:
    m = WORD.match(text.low, start)
    return m.group().rstrip(".") if m else ""


def _in_street(word: str, after_article: bool) -> bool:
    """Whether a word may open a street's name: a person's name, a title, an adjective; no ordinary word or brand."""
    low = word.lower().rstrip(".")
    if low in TITLES or word == "Van" or (word == "van" and after_article):
        return True
    bits = shipped().bits(low)
    return (
        word[:1].isupper()
        and not bits & (BRAND | PLACE)
        and (after_article or bool(bits & (FIRST | FIRST_FAR | PROPER)) or not shipped().ordinary(low))
    )


def _first(text: Reading, start: int) -> int:
    """Where an address begins whose street's last word begins at *start*."""
    # In a text of capitals a capital says nothing, so there the words alone must.
    capital, shouted = text.plain[start].isupper(), text.plain[start : start + 3].isupper()
    before = (text.low if shouted else text.plain)[max(0, start - 40) : start]
    named = (NAMED if capital and not shouted else LOW_NAMED).search(before)
    if named:
        at = max(0, start - 40) + named.start()
        words = text.plain[at:start].split(" ")
        after_article = re.search(r"(?:\b(?:de|het|'t)\s|[(:?]\s?|^)$", text.low[max(0, at - 4) : at]) is not None
        while len(words) > 1 and not _in_street(words[0], after_article):
            at += len(words.pop(0)) + 1
            after_article = False
        start = at
    return start


def _number_before(text: Reading, start: int) -> int:
    """Where a house number begins that stands before the street: "14b in de lijsterlaan"."""
    before = BEFORE.search(text.low[max(0, start - 30) : start])
    if before:
        return max(0, start - 30) + before.start("a" if before.group("a") else "b")
    return start


POSTCODES = Recogniser(postcodes, lambda sheet: sheet.holding(TOLD_SCREEN) | sheet.numbered(POSTCODE_SCREEN))
STREETS = Recogniser(streets, _with_street)
HOUSES = Recogniser(houses, lambda sheet: sheet.numbered(HOUSE_SCREEN) | sheet.holding(AT_SCREEN, LABEL_SCREEN))
HOMES = Recogniser(homes, lambda sheet: sheet.holding(HOME_SCREEN, cased=True))
SQUARED = Recogniser(squares, lambda sheet: sheet.holding(SQUARE_SCREEN))
