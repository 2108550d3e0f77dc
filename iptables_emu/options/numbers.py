"""C's number parsing, as libxtables uses it (strtoul with base 0 and a range)."""

from __future__ import annotations

import re

_SPACE = " \t\n\v\f\r"
_NUMBERS = {
    0: re.compile(r"[ \t\n\v\f\r]*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)"),
    8: re.compile(r"[ \t\n\v\f\r]*\+?([0-7]+)"),
    10: re.compile(r"[ \t\n\v\f\r]*\+?([0-9]+)"),
    16: re.compile(r"[ \t\n\v\f\r]*\+?(?:0[xX](?=[0-9a-fA-F]))?([0-9a-fA-F]+)"),
}
_MOST_DIGITS = 64  # no number of 64 bits is longer, but for leading zeros
U8, U16, U32, U64 = 0xFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF


def scan(text: str, low: int = 0, high: int = U64, base: int = 0) -> tuple[int, str] | None:
    """(value, rest of the text) of a leading number in [low, high], else None (xtables_strtoul)."""
    found = _NUMBERS[base].match(text)
    if found is None:
        return None
    digits = found.group(1)
    if not base:
        base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
        digits = digits[2:] if base == 16 else digits
    if len(digits) > _MOST_DIGITS:
        digits = digits.lstrip("0") or "0"
        if len(digits) > _MOST_DIGITS:
            return None
    value = int(digits, base)
    if value > U64 or not low <= value <= high:
        return None
    return value, text[found.end() :]


def strict(text: str, low: int = 0, high: int = U64, base: int = 0) -> int | None:
    """The whole text as a number in [low, high], else None."""
    found = scan(text, low, high, base)
    return found[0] if found is not None and not found[1] else None


def atoi(text: str) -> int:
    """C's atoi: leading digits with a sign, 0 when there are none."""
    found = re.match(r"[ \t\n\v\f\r]*([+-]?[0-9]+)", text)
    return int(found.group(1)[:_MOST_DIGITS]) if found else 0
