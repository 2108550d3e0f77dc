"""Comma lists of words that may be shortened (strncasecmp over a table, as several extensions read them)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

Word = tuple[str, int]  # name in capitals, its bit


def word_list(text: str, table: Iterable[Word], bad: Callable[[str, bool], NoReturn]) -> int:
    """The bits of ``NEW,rel`` or'ed: the first word of the table that begins so is meant.

    ``bad`` is called with what is left of the text and whether this is the last part.
    """
    out, rest = 0, text
    while True:
        part, comma, tail = rest.partition(",")
        found = next((bits for name, bits in table if part and name.startswith(part.upper())), None)
        if found is None:
            bad(rest, not comma)
        out |= found
        if not comma:
            return out
        rest = tail
