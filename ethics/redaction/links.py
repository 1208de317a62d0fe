"""Addresses on the net: URL, EMAIL, HANDLE; also spelt out ("jan punt x at mail punt nl") or defanged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .found import Found
from .lexicon import listed, shipped
from .reading import Reading, Recogniser

SAFE = (
    "nl|com|be|org|net|eu|info|example|shop|store|top|vip|cc|xyz|online|site|biz|io|app|support|club|icu|social|page|"
    "gov|edu|dev|gg|ly|gl|tk|ml|ga|cf|test|invalid|frl|amsterdam|nu|tv|ai|co|con|website|space|live|link|click|news|"
    "media|"
    "chat|tech|group|bank|money|cash|fund|trade|pro|world|digital|services|help|center|zone|work|run|fit|life|best|buzz"
)
"""Endings of domains that are no Dutch words; those below need a path or a second dot to count."""
RISKY = "de|me|to|is|in|at|us|uk|fr|it|es|pl|ro|lu|ch|se|no|dk|ru|cn|pk|ng|la|so|im|id|st|sh|ws|re|pt|tr|al|am|be|gd|ee"
DOT = r"(?:\.|\[\.\]|\(\.\)|\{\.\}|\{dot\}|\{punt\}|\[dot\]|\(dot\)|\[punt\]|\(punt\))"
SPOKEN_DOT = (
    r"(?:\.|\s\.\s|\s?(?:\[\.\]|\(\.\)|\{\.\}|\{dot\}|\{punt\}|\[dot\]|\(dot\)|\[punt\]|\(punt\))\s?|\s(?:punt|dot)\s)"
)
NAME = r"[^\W_](?:[\w-]*[^\W_])?"
PATH = r"(?:(?::\d{2,5})?[/?#][^\s\ue000-\ue002]*)?"

GLUED = re.compile(r"\w\.[a-z]{2}")
BRACKETED = re.compile(r"[\[({](?:\.|dot|punt)[\])}]")
SCHEME = re.compile(
    r"(?:h(?:tt|xx|\*\*)ps?|ftp)\s?(?:\[:\]|:)\s?//[^\s\ue000-\ue002]+|(?<![\w@])www(?:\.|\[\.\])[^\s\ue000-\ue002]+"
)
BARE = re.compile(rf"(?<![\w@.\-/])(?:{NAME}{DOT})+(?:{SAFE})(?![\w@-]|\.\w){PATH}")
DEFANGED = re.compile(
    rf"(?<![\w@.\-/])(?:{NAME}{DOT})*{NAME}(?:(?:\[\.\]|\(\.\)|\[dot\]|\(dot\)|\[punt\]|\(punt\)){NAME}"
    rf"|\s(?:\[\.\]|\(\.\)|\[dot\]|\(dot\)|\[punt\]|\(punt\))\s(?:{SAFE}))(?![\w@]){PATH}"
)
LONG = re.compile(rf"(?<![\w@.\-/]){NAME}{DOT}(?:{NAME}{DOT})+(?:{RISKY})(?![\w@-]|\.\w){PATH}")
PATHED = re.compile(rf"(?<![\w@.\-/])(?:{NAME}{DOT})+[a-z]{{2,12}}/[^\s\ue000-\ue002]*")
SPOKEN = re.compile(
    rf"(?<![\w@.\-/])(?:{NAME}\spunt\s)*[\w-]{{3,}}(?:\s(?:punt|dot)\s)(?:nl|com|be|org|net|eu|info|example|shop|"
    rf"nu)(?!\w)(?:\s?(?:slash|/)\s?[^\s\ue000-\ue002]+)?"
)

AT = r"(?:@|\s@\s|\s?[\[({]\s?(?:at|a|apen?staart(?:je)?|@)\s?[\])}]\s?|\sapen?staart(?:je)?\s)"
BARE_AT = r"\sat\s"
LOCAL = r"[\w](?:[\w.+-]*[\w+-])?"
LOCAL_DOT = (
    rf"{LOCAL}(?:(?:\s?(?:\[punt\]|\(punt\)|\[dot\]|\(dot\))\s?"
    rf"|\s(?:punt|dot|streepje|underscore|liggend streepje)\s(?:(?:van\s)?(?:de|der|den|van|ter|el|al)\s)?){LOCAL})*"
)
HOST = r"[^\W_](?:[\w-]*[^\W_])?"
EMAIL = re.compile(rf"(?<![\w@.+-]){LOCAL}@{HOST}(?:\.{HOST})+")
WRITTEN_EMAIL = re.compile(rf"(?<![\w@.+-]){LOCAL_DOT}{AT}{HOST}(?:{SPOKEN_DOT}{HOST})*{SPOKEN_DOT}[a-z]{{2,10}}(?!\w)")
SPOKEN_EMAIL = re.compile(
    rf"(?<![\w@.+-]){LOCAL_DOT}{BARE_AT}{HOST}(?:{SPOKEN_DOT}{HOST})*{SPOKEN_DOT}(?:{SAFE})(?!\w)"
)

AT_HANDLE = re.compile(r"(?<![\w.@/])@(?=[\w.-]*[^\W\d])\w(?:[\w.-]*\w)?_?(?:@[\w-]+(?:\.[\w-]+)+)?")
U_HANDLE = re.compile(r"(?<![\w])/?u/[\w-]{2,}")
UNDERSCORED = re.compile(r"(?<![\w@./-])(?=[\w.]*_)(?=[\w.]*[^\W\d_])\w[\w.]*\w")
SELF_NAMED = re.compile(
    r"\b(?:noem(?:t|en|de)? (?:zich|zichzelf)|account|gebruiker|nick(?:name)?|profiel|alias|"
    r"als)\s['\"]?(?P<value>[^\W_]+)"
)
INNER_CAPITAL = re.compile(r"[a-z][A-Z]")
LETTER_DIGIT = re.compile(r"[^\W\d_][0-9]")
PLATFORMS = (
    "insta",
    "snap",
    "tiktok",
    "telegram",
    "discord",
    "naam",
    "nick",
    "ign",
    "steam",
    "psn",
    "gamertag",
    "account",
)
MIXED = re.compile(r"[A-Z]?[a-z]+[A-Z][A-Za-z]*")
NUMBERED = re.compile(r"(?<![\w@./-])(?:[^\W\d_]+\.)?[^\W\d_]{4,}\d{2,4}(?![\w@]|[.,/-]\w)")
DOTTED = re.compile(r"(?<![\w@./-])[^\W\d_]{2,}\.(?:[^\W\d_]{2,}\d{2,4}|[^\W\d_]\d{3})(?![\w@]|[.,/-]\w)")
ANNOUNCED = re.compile(
    r"(?<!\w)(?:insta(?:gram)?|snap(?:chat)?|tiktok|telegram|discord|discordnaam|username|gebruikersnaam|nickname|"
    r"nick|ign|steam|psn|gamertag|"
    r"account(?:naam)?)(?:\s?(?P<told>[:=])\s?|\s(?:is|heet|als|van haar|van hem|naam|onder)\s)[\"']?"
    r"(?P<value>[\w.]*\w_?)"
)
MONEY_WORDS = listed("""
    covid corona iphone ipad windows office groep route artikel kamer euro playstation xbox galaxy samsung android
    chatgpt lidl jumbo klas agenda editie versie seizoen level ronde zaal blok model type serie pagina nummer team
    politie stuks keer uur jaar euros plus lijn halte vlucht perron spoor poort hal gate sector unit gold redmi
    honor
""")
TRAILING = ".,;:!?'\"”»*_~…"


def emails(text: Reading) -> Iterator[Found]:
    """EMAIL in *text*."""
    low = text.low
    for pattern in (EMAIL, WRITTEN_EMAIL, SPOKEN_EMAIL):
        for m in pattern.finditer(low):
            start = m.start()
            if pattern is not EMAIL and m.group().startswith(("op ", "via ", "mail ")):
                start += m.group().index(" ") + 1
            yield Found(start, m.end(), "EMAIL")


def urls(text: Reading) -> Iterator[Found]:
    """URL in *text*."""
    low = text.low
    for pattern in _patterns(low):
        for m in pattern.finditer(low):
            end = _tail(low, m.start(), m.end())
            if end - m.start() > 3 and not (pattern is PATHED and not _hostlike(m.group())):
                yield Found(m.start(), end, "URL")


def _patterns(low: str) -> Iterator[re.Pattern[str]]:
    """The patterns that can match, by a quick look: most texts have no dot between letters."""
    if "//" in low or "www" in low:
        yield SCHEME
    if GLUED.search(low):
        yield BARE
        yield LONG
        if "/" in low:
            yield PATHED
    if BRACKETED.search(low):
        yield DEFANGED
        yield BARE
    if " punt " in low or " dot " in low:
        yield SPOKEN


def _hostlike(match: str) -> bool:
    """Whether what stands before the slash looks like a host, and not like `a.u.b./dank`."""
    host, _, path = match.partition("/")
    first, _, last = host.rpartition(".")
    return (
        (len(first) > 1 or host == "t.me") and len(path) > 1 and (last in SAFE.split("|") or last in RISKY.split("|"))
    )


def _tail(low: str, start: int, end: int) -> int:
    """The end of a link without the sentence's own marks."""
    while end > start:
        last = low[end - 1]
        if last in TRAILING or (
            last in ")]}>" and low.count(last, start, end) > low.count("([{<"[")]}>".index(last)], start, end)
        ):
            end -= 1
        else:
            break
    return end


def handles(text: Reading) -> Iterator[Found]:
    """HANDLE in *text*."""
    low = text.low
    if "@" in low:
        for m in AT_HANDLE.finditer(low):
            yield Found(m.start(), m.end(), "HANDLE")
    if "u/" in low:
        for m in U_HANDLE.finditer(low):
            yield Found(m.start(), m.end(), "HANDLE")
    if "_" in low:
        for m in UNDERSCORED.finditer(low):
            if m.group().strip("_"):
                yield Found(m.start(), m.end(), "HANDLE")
    if LETTER_DIGIT.search(low):
        for pattern in (NUMBERED, DOTTED):
            for m in pattern.finditer(low):
                if m.group().rstrip("0123456789") not in MONEY_WORDS:
                    yield Found(m.start(), m.end(), "HANDLE")
    for m in SELF_NAMED.finditer(text.plain) if INNER_CAPITAL.search(text.plain) else ():
        if MIXED.fullmatch(m.group("value")):
            yield Found(m.start("value"), m.end("value"), "HANDLE")
    for m in ANNOUNCED.finditer(low) if any(map(low.__contains__, PLATFORMS)) else ():
        value = m.group("value")
        unknown = m.group("told") and len(value) > 5 and not shipped().bits(value)
        if unknown or (len(value) > 3 and any(c in "._0123456789" for c in value)):
            yield Found(m.start("value"), m.end("value"), "HANDLE")


EMAIL_SCREEN = re.compile(r"@|staart|\(\s?a|\[\s?a|\{\s?a|\sat\s")
BRACKETS = "|".join(rf"{b}(?:\.|dot|punt)[\])}}]" for b in (r"\[", r"\(", r"\{"))
URL_SCREEN = re.compile(rf"//|www|\.(?<=\w\.)[a-z][a-z]|{BRACKETS}| punt | dot ")
HANDLE_SCREENS = (
    re.compile(r"@|_|u/"),
    re.compile(
        r"(?:insta|instagram|snap|snapchat|tiktok|telegram|discord|naam|name|nick|ign|steam|psn|gamertag|account)"
        r"(?:\s?[:=]|\s(?:is|heet|als|van|naam|onder)\s)"
    ),
)
DIGIT_SCREEN = re.compile(r"[0-9](?<=[^\W\d_][0-9])")
SELF_SCREEN = re.compile(
    r"(?:zich|zichzelf|account|gebruiker|nick|nickname|profiel|alias|als)\s['\"]?[A-Z]?[a-z]+[A-Z]"
)

EMAILS = Recogniser(emails, lambda sheet: sheet.holding(EMAIL_SCREEN))
URLS = Recogniser(urls, lambda sheet: sheet.holding(URL_SCREEN))
HANDLES = Recogniser(
    handles,
    lambda sheet: (
        sheet.holding(*HANDLE_SCREENS) | sheet.numbered(DIGIT_SCREEN) | sheet.holding(SELF_SCREEN, cased=True)
    ),
)
