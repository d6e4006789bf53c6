"""Brings names, places and numbers of any script into the form in which they are searched.

What is stored and what is typed go through the same folding, so that a patient is found whoever wrote the name:
without case and accents, with one form for letters that people exchange (Arabic alefs, Amharic homophones), whether
or not a name of two words was written as one.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from hub.late import Late

if TYPE_CHECKING:
    from rapidfuzz import fuzz, process
else:
    fuzz = Late("rapidfuzz.fuzz")
    process = Late("rapidfuzz.process")

TEXT_CHARS = 200
"""Of a longer name only the beginning is searched."""
WORDS = 12
"""Words of one text that are searched."""
FRAGMENT_CHARS = 3
"""A number is found by this many digits or letters in a row, or more."""
SIMILAR_PERCENT = 60.0
"""Names less alike than this are no candidates for being the same person."""

NAME, PLACE, SOUND, BORN, SEX, CLINIC = "npsbxc"
"""The letter that a stored word begins with says what it is a word of."""

_JOINERS = dict.fromkeys(map(ord, "'\u2019\u2018\u02bc\u02b9`\u00b4\u2032-\u2010\u2011\u2013\u05be\u1361\u200c"), "\0")
"""Marks inside a name that some leave out: apostrophes, hyphens, word marks; beside them a name is also one word."""

_PLAIN = {code: _JOINERS.get(code, " ") for code in range(128) if not chr(code).isalnum() and code}
_NOT_IN_NUMBERS = dict.fromkeys((code for code in range(128) if not chr(code).isalnum()), "")

_ALIKE = str.maketrans(
    {
        **dict(zip("øłđðħıæœþґ", ("o", "l", "d", "d", "h", "i", "ae", "oe", "th", "г"), strict=True)),  # noqa: RUF001
        **dict.fromkeys(map(chr, (0x671, 0x672, 0x673, 0x675)), "\u0627"),  # further alefs
        "\u0629": "\u0647",  # taa marbuta as haa
        **dict.fromkeys("\u0649\u06cc\u06d2", "\u064a"),  # alef maqsura, Farsi and Urdu yeh as yaa
        "\u06a9": "\u0643",  # Farsi kaf
        **dict(zip("\u0695\u06ce\u06b5", "\u0631\u064a\u0644", strict=True)),  # Kurdish reh, yeh, lam with a small v
        **dict.fromkeys("\u06c6\u06c7\u06ca", "\u0648"),  # Kurdish and Uyghur vowels on a waw
        **dict.fromkeys("\u06c1\u06c3\u06d5\u06be", "\u0647"),  # Urdu and Kurdish haas
        **dict.fromkeys("\u0621\u0640\u200d\u200e\u200f", ""),  # hamza by itself, tatweel, marks of direction
    }
)

_ETHIOPIC_SERIES = {0x1210: 0x1200, 0x1280: 0x1200, 0x1220: 0x1230, 0x12D0: 0x12A0, 0x1340: 0x1338}
"""Consonants of Amharic that sound alike and are exchanged in writing: a series of eight letters for another."""
_ETHIOPIC_A = {0x1203: 0x1200, 0x12A3: 0x12A0}
_ETHIOPIC = range(0x1200, 0x1380)

_VIRAMA = 9
_ARTICLE = "\u0627\u0644"
_ARTICLE_WORD_CHARS = 5
"""A word that begins with the Arabic article and has at least this many letters is also found without it."""

_PARTICLES = frozenset(["al", "d", "da", "de", "di", "el", "l", "la", "le", "mac", "mc", "o", "st", "ul"])
"""Words before a name that people write together with it, whatever stands before them: O'Brien, El-Sayed."""
_PARTICLE_CHARS = range(1, 4)
_AFTER_PARTICLE_CHARS = 3

_VOWELS = frozenset("aeiouyh\u0627\u0648\u064aаеиоуыэюяє")  # noqa: RUF001
_SOUNDS = (("ph", "f"), ("ck", "k"), ("q", "k"), ("c", "k"), ("z", "s"), ("w", "v"), ("x", "ks"))
_DIGITS = re.compile(r"\d")


class SearchedColumns(msgspec.Struct, frozen=True):
    """The columns of a patient that are searched."""

    given_name: str = ""
    surname: str = ""
    date_of_birth: str = ""
    sex: str = ""
    citizenship: str = ""
    hometown: str = ""
    camp: str | None = None
    phone: str = ""
    government_id: str = ""
    external_patient_id: str = ""
    primary_clinic_id: str | None = None


_decode = msgspec.json.Decoder(SearchedColumns).decode


@lru_cache(maxsize=2048)
def fold(text: str) -> str:
    """Fold ``text``: words of letters, marks and digits, in lower case, with single blanks between them."""
    return " ".join(_folded(text[:TEXT_CHARS]).replace("\0", " ").split()[:WORDS])


@lru_cache(maxsize=2048)
def words(text: str) -> tuple[str, ...]:
    """Return the words that ``text`` is found by: its parts, and what they are when written together."""
    chunks = _chunks(text)
    parts = [part for chunk in chunks for part in chunk.split("\0") if part]
    joined = [chunk.replace("\0", "") for chunk in chunks if "\0" in chunk]
    whole = ["".join(parts)] if len(parts) > 1 else []
    bare = [part[2:] for part in parts if _has_article(part)]
    return tuple(dict.fromkeys(word for word in (*parts, *joined, *whole, *bare) if word))


def number(text: str) -> str:
    """Return a phone, ID or code as its digits and letters alone."""
    if not text.isascii():
        return fold(text).replace(" ", "")
    beginning = text[:TEXT_CHARS].lower()
    return beginning if beginning.isalnum() else beginning.translate(_NOT_IN_NUMBERS)


def is_number(text: str) -> bool:
    """Return whether what was typed is meant as a number: it has a digit of any script."""
    return bool(_DIGITS.search(text))


def expression(typed: str, kind: str) -> str:
    """Return an FTS5 expression for what was typed: every word the beginning of one, in any order; '' for nothing."""
    chunks = [chunk for chunk in _chunks(typed) if chunk.strip("\0")]
    if not chunks:
        return ""
    every = " AND ".join(_chunk_expression(chunk, kind) for chunk in chunks)
    if len(chunks) == 1:
        return every
    return f"(({every}) OR {beginning(kind, ''.join(chunks).replace(chr(0), ''))})"


def fragment(typed: str) -> str:
    """Return an FTS5 expression for a part of a number (with or without the 0 of a local call), or ''."""
    part = number(typed)
    if len(part) < FRAGMENT_CHARS:
        return ""
    bare = part.lstrip("0")
    return f'("{part}" OR "{bare}")' if FRAGMENT_CHARS <= len(bare) < len(part) else f'"{part}"'


def whole(typed: str) -> str:
    """Return an FTS5 expression for a whole number, '' for none."""
    part = number(typed)
    return f'" {part} "' if part else ""


def beginning(kind: str, word: str) -> str:
    """Return an FTS5 expression for the beginning of a word; folding left nothing in it that could close the quotes."""
    return f'"{kind}{word}"*'


def exactly(kind: str, word: str) -> str:
    """Return an FTS5 expression for a word."""
    return f'"{kind}{word}"'


@lru_cache(maxsize=4096)
def skeleton(word: str) -> str:
    """Return how a folded word sounds, roughly: its consonants, without doubles; equal for many ways of spelling it."""
    for spelled, sound in _SOUNDS:
        word = word.replace(spelled, sound)
    sounds = [chr(ord(letter) & ~7) if ord(letter) in _ETHIOPIC else letter for letter in word]
    bones = [letter for letter in sounds if letter not in _VOWELS and unicodedata.category(letter)[0] != "M"]
    sound = "".join(letter for letter, _ in groupby(bones))
    return sound if len(sound) > 1 else word


def stored_words(patient: SearchedColumns) -> str:
    """Return all words that a patient is found by."""
    names = dict.fromkeys([*words(patient.given_name), *words(patient.surname)])
    parts = dict.fromkeys(stored_name(patient).split())
    places = dict.fromkeys([*words(patient.hometown), *words(patient.camp or ""), *words(patient.citizenship)])
    found = [NAME + word for word in names]
    found += [SOUND + skeleton(word) for word in parts]
    found += [PLACE + word for word in places]
    found.append(CLINIC + clinic_word(patient.primary_clinic_id or ""))
    if patient.date_of_birth:
        found.append(BORN + number(patient.date_of_birth))
    if patient.sex:
        found.append(SEX + number(patient.sex))
    return " ".join(found)


def stored_name(patient: SearchedColumns) -> str:
    """Return a patient's name as it is compared with others."""
    return f"{fold(patient.given_name)} {fold(patient.surname)}".strip()


def numbers(patient: SearchedColumns) -> str:
    """Return the numbers that a patient is found by, each with a blank before and after it: so a whole one is known."""
    found = map(number, (patient.phone, patient.government_id, patient.external_patient_id))
    return "".join([f" {each} " for each in found if each])


@lru_cache(maxsize=4)
def _searched(data: str, cut: int | None) -> SearchedColumns:
    """Read the phone's part of a record: the unknown columns may nest deeper than a reader goes."""
    return _decode(data if cut is None else data[:cut] + "}")


OF_PATIENT: Mapping[str, Callable[[str, int | None], str]] = {
    "search_words": lambda data, cut: stored_words(_searched(data, cut)),
    "search_name": lambda data, cut: stored_name(_searched(data, cut)),
    "search_numbers": lambda data, cut: numbers(_searched(data, cut)),
}
"""What of the above is kept of a patient's stored text (see codec.write), by the name that SQL knows it by."""


@lru_cache(maxsize=256)
def clinic_word(clinic: str) -> str:
    """Return the word that stands for a clinic; '' is none."""
    return clinic.encode().hex()


def ranked(asked: str, names: dict[int, str], *, most: int) -> list[int]:
    """Return the keys of the ``names`` most like ``asked``, best first, the higher key before the lower."""
    choices = dict(sorted(names.items(), reverse=True))
    found = process.extract(
        asked, choices, scorer=fuzz.token_sort_ratio, limit=most, score_cutoff=SIMILAR_PERCENT, processor=None
    )
    return [key for _, _, key in found]


def _chunks(text: str) -> list[str]:
    return _folded(text[:TEXT_CHARS]).split()[:WORDS]


@lru_cache(maxsize=2048)
def _folded(text: str) -> str:
    if text.isascii():
        return text.lower().translate(_PLAIN)
    spelled = unicodedata.normalize("NFKD", text.translate(_JOINERS).casefold())
    return "".join(map(_letter, spelled)).translate(_ALIKE)


@lru_cache(maxsize=4096)
def _letter(letter: str) -> str:
    """Return what becomes of one letter. Marks that are vowels, as in Bengali, stay: they tell names apart."""
    if letter == "\0" or (letter.isascii() and letter.isalnum()):
        return letter
    category = unicodedata.category(letter)
    if category == "Nd":
        return str(unicodedata.decimal(letter))
    if category[0] == "M":
        return "" if unicodedata.combining(letter) not in {0, _VIRAMA} else letter
    if category in {"Cf", "Lm"}:
        return ""
    code = ord(letter)
    if code in _ETHIOPIC:
        series = code & ~7
        code = _ETHIOPIC_SERIES.get(series, series) + (code & 7)
        return chr(_ETHIOPIC_A.get(code, code))
    return letter if category[0] in "LN" else " "


def _chunk_expression(chunk: str, kind: str) -> str:
    parts = [part for part in chunk.split("\0") if part]
    every = " AND ".join(_part_expression(part, kind) for part in parts)
    return every if len(parts) == 1 else f"(({every}) OR {beginning(kind, ''.join(parts))})"


def _part_expression(part: str, kind: str) -> str:
    ways = [beginning(kind, part)]
    if _has_article(part):
        ways.append(beginning(kind, part[2:]))
    for count in _PARTICLE_CHARS:
        particle, rest = part[:count], part[count:]
        if particle in _PARTICLES and len(rest) >= _AFTER_PARTICLE_CHARS:
            ways.append(f"({exactly(kind, particle)} AND {beginning(kind, rest)})")
    return ways[0] if len(ways) == 1 else f"({' OR '.join(ways)})"


def _has_article(part: str) -> bool:
    return part.startswith(_ARTICLE) and len(part) >= _ARTICLE_WORD_CHARS
