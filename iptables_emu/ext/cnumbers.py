"""C's forgiving number readers (strtoul, atoll, strtod), for the extensions that use them bare."""

from __future__ import annotations

import re

from iptables_emu.options.numbers import U64

_UNSIGNED = {
    0: re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)"),
    10: re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)"),
}
_DIGITS = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")
_REAL = re.compile(r"[ \t\n\v\f\r]*([+-]?)(?:(0[xX][0-9a-fA-F]+)|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))")


def strtoul(text: str, base: int = 0) -> tuple[int, str]:
    """(value of 64 bits, the rest); without digits (0, the whole text). A minus wraps around."""
    found = _UNSIGNED[base].match(text)
    if found is None:
        return 0, text
    sign, digits = found.groups()
    if base == 0 and digits[:2] in ("0x", "0X"):
        value = int(digits, 16)
    else:
        value = int(digits, 8 if base == 0 and digits[0] == "0" else 10)
    value = U64 if value > U64 else -value & U64 if sign == "-" else value
    return value, text[found.end() :]


def atoll(text: str) -> int:
    """The leading decimal number as an unsigned 64-bit value, 0 when there is none."""
    found = _DIGITS.match(text)
    if found is None:
        return 0
    return max(-(1 << 63), min(int(found.group(1)), (1 << 63) - 1)) & U64


def strtod(text: str) -> tuple[float, str] | None:
    """(value, the rest) of a leading real number, None when there is none."""
    found = _REAL.match(text)
    if found is None:
        return None
    sign, whole, real = found.groups()
    value = float(int(whole, 16)) if whole else float(real)
    return -value if sign == "-" else value, text[found.end() :]
