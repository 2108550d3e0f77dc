"""Words of nft's language, for the translation of rules (what libxtables calls xlate)."""

from __future__ import annotations

from typing import NamedTuple

_BLANKS = " \t\n\v\f\r"
_BRACES = "(){}[]"


class Nft(NamedTuple):
    """A translation that is more than words in the rule.

    ``declares`` is a set that must be there first: its name and its body. ``{n}`` in it and in ``rule`` stands
    for the number that tells the sets of one run apart. ``comment`` is the rule's, with its quotes.
    """

    rule: str = ""
    comment: str = ""
    declares: str = ""


def glue(*pieces: str) -> str:
    """The pieces in a row, with a blank where a word or brace would touch what stands before it."""
    out = ""
    for piece in pieces:
        first = piece[:1]
        apart = first in _BRACES or (first.isascii() and first.isalnum()) if first else False
        out += f" {piece}" if apart and out and out[-1] not in _BLANKS else piece
    return out


def unless(inverted: bool) -> str:
    """``!= `` or nothing."""
    return "!= " if inverted else ""


def span(low: int, high: int) -> str:
    """``5`` or ``5-9``."""
    return str(low) if low == high else f"{low}-{high}"


def ports(word: str, bounds: tuple[int, int] | None, inverted: bool, *, all_of_them: bool) -> list[str]:
    """``[tcp dport != 1-9]``; nothing when not asked (``all_of_them``: nor for all ports)."""
    if bounds is None or (not all_of_them and bounds == (0, 65535) and not inverted):
        return []
    return [f"{word} {unless(inverted)}{span(*bounds)}"]


def masked(value: int, mask: int, inverted: bool, name: str = "") -> str:
    """``and 0xff == 0x1``, ``!= 0x1``; ``name`` is shown instead of a value without mask."""
    if mask != 0xFFFFFFFF:
        return f"and 0x{mask:x} {'!=' if inverted else '=='} 0x{value:x}"
    return unless(inverted) + (name or f"0x{value:x}")
