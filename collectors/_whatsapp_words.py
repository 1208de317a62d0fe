"""What WhatsApp itself writes into an export, in the languages of its users: omitted media, deletions, system lines."""

from __future__ import annotations

import re
from dataclasses import dataclass

MARK = "\u200e"
"""The invisible mark that iOS puts before words of its own; no one types it."""
_INVISIBLE = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")

_KINDS = {
    "photo": "afbeelding|foto|image|photo|picture|bild|imagen|imagem|immagine|imagine|zdjęcie|görüntü|صورة",
    "video": "gif|videonotitie|video-?notitie|videonachricht|video note|vid[eé]o|wideo|فيديو",
    "audio": "audio|spraakbericht|voice message|sprachnachricht|ses|mensaje de voz|صوت",
    "sticker": "sticker|stickers|autocollant|figurinha|çıkartma|naklejka",
    "file": "document|dokument|documento|belge",
    "contact": "contactkaart|contact card|kontaktkarte|tarjeta de contacto|cart[ãa]o de contato|carte de contact",
}
_LEFT_OUT = (
    r"weggelaten|omitted|weggelassen|ausgeschlossen|omitid[oa]|omesso|omessa|omis|omise|absente?|ocultad[oa]|pominięto"
    r"|dahil edilmedi"
)
_KIND_LEFT_OUT = {
    kind: re.compile(rf"(?:{words})(?:[ \u00a0](?:{_LEFT_OUT})[.]?)?", re.IGNORECASE) for kind, words in _KINDS.items()
}
_SURELY_LEFT_OUT = re.compile(rf"(?:{'|'.join(_KINDS.values())})[ \u00a0](?:{_LEFT_OUT})[.]?", re.IGNORECASE)
_SOME_MEDIA = re.compile(
    r"<(?:media|medien|multimedia|m[ií]dia|m[eé]dias?|mediabestand|archivo|arquivo|eenmalig|view once|einmal)\b"
    r"[^<>]{0,60}>",
    re.IGNORECASE,
)
_BRACKETED = re.compile(
    rf"{MARK}?<{MARK}?(?:bijgevoegd|bijlage|attached|anhang|adjunto|allegato|pi[eè]ce jointe|anexado|załączono|ekli)"
    rf"[ \u00a0]?:[ \u00a0]?(?P<name>[^<>\n]{{1,255}})>",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(
    rf"{MARK}?(?P<name>[^\n]{{1,250}}\.[A-Za-z0-9]{{2,5}}) \((?:bestand bijgevoegd|file attached|datei angehängt"
    r"|archivo adjunto|fichier joint|file allegato|arquivo anexado|plik załączony|dosya ekli)\)(?:\n|$)",
    re.IGNORECASE,
)
_EXTENSIONS = {
    "photo": "jpg jpeg png heic heif bmp tiff",
    "video": "gif mp4 mov 3gp mkv avi webm m4v",
    "audio": "opus ogg oga m4a mp3 aac amr wav caf",
    "sticker": "webp was",
    "contact": "vcf",
}
_BY_EXTENSION = {e: kind for kind, all_ in _EXTENSIONS.items() for e in all_.split()}

_DELETED = re.compile(
    r"(?:dit bericht (?:is|werd) verwijderd|(?:je|jij|u) (?:hebt|heeft) dit bericht verwijderd"
    r"|this message was deleted|you deleted this message"
    r"|diese nachricht wurde gelöscht|du hast diese nachricht gelöscht|sie haben diese nachricht gelöscht"
    r"|se eliminó este mensaje|eliminaste este mensaje|ce message a été supprimé|vous avez supprimé ce message"
    r"|questo messaggio è stato eliminato|hai eliminato questo messaggio|(?:essa )?mensagem (?:foi )?apagada"
    r"|wiadomość została usunięta|bu mesaj silindi|تم حذف هذه الرسالة)(?: (?:door|by|von)"
    r" (?:een |de |an? |einem )?(?:groeps|group |gruppen)?(?:beheerder|admin)\w*[^\n,]{0,60})?\s?[.]?",
    re.IGNORECASE,
)
_EDITED = re.compile(
    rf"[ \u00a0]?{MARK}?<{MARK}?(?:dit bericht is bewerkt|this message was edited|diese nachricht wurde bearbeitet"
    r"|se editó este mensaje|ce message a été modifié|questo messaggio è stato modificato|mensagem editada)[.]?>$",
    re.IGNORECASE,
)
_POLL = re.compile(rf"{MARK}?(?:peiling|poll|umfrage|encuesta|sondage|sondaggio|enquete):[ \u00a0]?\n", re.IGNORECASE)
_PLACE = re.compile(
    rf"{MARK}?(?:locatie|location|standort|ubicaci[oó]n|localisation|posizione|localização): https?://\S+",
    re.IGNORECASE,
)
_LIVE_PLACE = re.compile(
    rf"{MARK}?(?:live ?-?locatie (?:gedeeld|wordt gedeeld)|live location shared|live-standort wird geteilt)[.]?",
    re.IGNORECASE,
)
_SYSTEM_TEXT = re.compile(
    r"(?:de )?berichten (?:en (?:oproepen|gesprekken)|die je|aan deze|in deze)\b.{0,80}(?:versleutel|beveilig)"
    r"|messages (?:and calls|to this|you send).{0,80}(?:encrypt|secured)"
    r"|(?:deine |die )?nachrichten (?:und anrufe|an diese|, die du|in diesem).{0,80}verschlüssel"
    r"|(?:los )?mensajes y (?:las )?llamadas están cifrad|les messages et (?:les )?appels sont chiffr"
    r"|i messaggi e le chiamate sono crittografat|as mensagens e (?:as )?ligações são protegid"
    r"|waiting for this message|wachten op dit bericht|warten auf diese nachricht",
    re.IGNORECASE,
)
_SYSTEM_NAMES = re.compile(
    r"\b(?:created (?:the )?group|changed (?:the|this) (?:subject|group)"
    r"|(?:heeft|hebt) (?:de groep|het onderwerp|de groepsnaam)"
    r"|hat (?:die gruppe|den betreff|den gruppennamen|den namen)|creó (?:el )?grupo|a créé le groupe)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile('["“„”«»]')
_MENTION = re.compile(r"@\u2068(?P<name>[^\u2069\n]{1,100})\u2069|(?<![\w@])@(?P<number>\d{8,15})\b")


@dataclass(frozen=True, slots=True)
class Said:
    """What one message says: its own words, and the kinds of media with it; or why it is no message of a member."""

    text: str = ""
    media: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    skip: str = ""


def is_system_author(name: str) -> bool:
    """Whether what stands before the colon is the first half of a system line, such as a group's name with a colon."""
    return bool(_QUOTED.search(name) and _SYSTEM_NAMES.search(name))


def visible(text: str) -> str:
    """*text* without marks of writing direction, which WhatsApp adds."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def said(text: str) -> Said:
    """What the *text* after the author's name holds."""
    body, media = _without_media(_EDITED.sub("", text) if text.endswith(">") else text)
    bare = visible(body).strip()
    if _DELETED.fullmatch(bare):
        return Said(skip="deleted")
    if not media and (_SYSTEM_TEXT.match(bare) or (body.startswith(MARK) and not _POLL.match(body))):
        return Said(skip="system message")
    if _POLL.match(body):
        media = (*media, "poll")
    if not bare.strip("\u200b") and not media:
        return Said(skip="empty message")
    if bare == "null":
        return Said(skip="empty message")
    mentions = tuple(m["name"] or m["number"] for m in _MENTION.finditer(body)) if "@" in body else ()
    return Said(visible(body).rstrip(), media, mentions)


def _without_media(text: str) -> tuple[str, tuple[str, ...]]:
    """*text* without the words that stand for media, and their kinds."""
    bare = visible(text).strip()
    if _SOME_MEDIA.fullmatch(bare):
        return "", ("media",)
    if _LIVE_PLACE.fullmatch(text.strip()):
        return "", ("location",)
    if _PLACE.match(text):
        return text.removeprefix(MARK), ("location",)
    for found in (_IN_BRACKETS.match(text), "<" in text and _BRACKETED.search(text)):
        if found:
            return (text[: found.start()] + text[found.end() :]).strip(), (_kind_of(found["name"]),)
    return _left_out(text, bare)


def _left_out(text: str, bare: str) -> tuple[str, tuple[str, ...]]:
    if _SURELY_LEFT_OUT.fullmatch(bare):
        return "", (_kind_of_words(bare),)
    before, mark, last = text.rpartition(MARK)
    # Old iOS exports say only "image"; the mark before it tells it from the word that someone typed.
    if mark and (kind := _kind_of_words(last.strip())):
        return _INVISIBLE.sub("", before).rstrip(" •"), (kind,)
    return text, ()


def _kind_of_words(words: str) -> str:
    return next((kind for kind, pattern in _KIND_LEFT_OUT.items() if pattern.fullmatch(words)), "")


def _kind_of(name: str) -> str:
    for word in ("sticker", "gif", "audio", "photo", "video"):
        if f"-{word}-" in name.casefold():
            return "video" if word == "gif" else word
    return _BY_EXTENSION.get(name.rpartition(".")[2].casefold(), "file")
