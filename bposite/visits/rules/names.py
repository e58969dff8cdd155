"""Names as people type them: folded for search and for comparing, in any order, case and accent."""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher

# Letters that Unicode does not take apart although people type them without the stroke.
_PLAIN = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss", "þ": "th", "ð": "d"})
MATCH_FROM = 0.86


def folded(name: str) -> str:
    """Lower case, without accents and punctuation, single blanks: "Ósk-Ár  DØE" -> "osk ar doe"."""
    # Taking apart can give capitals again (raised letters), and small letters can be taken apart further.
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold().translate(_PLAIN))
    kept = (char if char.isalnum() else " " for char in apart.casefold() if not unicodedata.combining(char))
    return " ".join("".join(kept).split())


def tokens_sorted(name: str) -> str:
    """The folded words of a name in alphabetical order, so that "Doe, John" is "John Doe"."""
    return " ".join(sorted(folded(name).split()))


def likeness(one: str, other: str) -> float:
    """How alike two names are, 0 to 1, whatever the order, case and accents: 1 = the same words.

    Takes the better of the whole names compared and of the words paired one to one,
    so that one misspelt letter in a long name still scores high.
    """
    first, second = tokens_sorted(one), tokens_sorted(other)
    if not first or not second:
        return 0.0
    if first == second:
        return 1.0
    return max(SequenceMatcher(None, first, second).ratio(), _paired(first.split(), second.split()))


def _paired(shorter: list[str], longer: list[str]) -> float:
    if len(shorter) > len(longer):
        shorter, longer = longer, shorter
    if len(shorter) < 2:
        return 0.0
    best = [max(SequenceMatcher(None, word, other).ratio() for other in longer) for word in shorter]
    return sum(best) / len(best) * (0.95 if len(shorter) < len(longer) else 1.0)
