"""What strangers typed, made fit for print: no control characters, no characters that turn the direction of
what follows, composed accents, bounded lengths, and places to break a very long word.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

NAME_MAX: Final = 200
SENTENCE_MAX: Final = 500
NOTE_MAX: Final = 4_000
WORD_MAX: Final = 60
"""Characters of an unbroken word before it is divided. Shorter ones, e-mail addresses above all, are copied
from the page as they were typed."""

KEPT: Final = 8192
"""How many texts are kept: many documents of a billing run say the same."""

ELLIPSIS: Final = "…"
ZERO_WIDTH_SPACE: Final = "\u200b"

_LONG_WORD: Final = re.compile(rf"[^\s\u200b]{{{WORD_MAX + 1},}}")
_SPACES: Final = re.compile(r"[\t\n\v\f\r\u0085\u2028\u2029]+")
_DIRECTION: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
_JOINED: Final = frozenset({"Mn", "Mc", "Me"})
_ZERO_WIDTH_JOINER: Final = "\u200d"


@lru_cache(KEPT)
def cleaned(text: str, *, longest: int = NOTE_MAX) -> str:
    """One line of text without what cannot or must not be printed, at most `longest` characters; a text that
    was cut ends with an ellipsis. Cleaning twice changes nothing.

    Marks that turn the direction of text go (they let a name rewrite the amount behind it): the page isolates
    each field instead. So do control characters, surrogates and private or unassigned code points.
    """
    if len(text) <= longest and text.isascii() and text.isprintable():
        return text.strip()
    flat = _SPACES.sub(" ", text[: longest * 4])
    kept = "".join(char for char in flat if char not in _DIRECTION and _printable(char))
    composed = unicodedata.normalize("NFC", kept).strip()
    if len(composed) <= longest:
        return composed
    return composed[: longest - 1].rstrip() + ELLIPSIS


def breakable(text: str) -> str:
    """The text with a zero-width space in every word longer than `WORD_MAX`, never before an accent.

    The layout breaks what is wider than its column by itself, but in more than linear time: a second for a
    word of five thousand letters. Divided words stay quick.
    """
    return _LONG_WORD.sub(lambda word: ZERO_WIDTH_SPACE.join(_pieces(word.group())), text)


def _printable(char: str) -> bool:
    return unicodedata.category(char) not in _UNPRINTABLE


def _pieces(word: str) -> list[str]:
    pieces = [""]
    for char in word:
        joined = unicodedata.category(char) in _JOINED or char == _ZERO_WIDTH_JOINER
        if len(pieces[-1]) >= WORD_MAX and not joined and not pieces[-1].endswith(_ZERO_WIDTH_JOINER):
            pieces.append("")
        pieces[-1] += char
    return pieces
