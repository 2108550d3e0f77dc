"""C's forgiving number readers (strtoul, atoll, strtod), for the extensions that use them bare."""

from __future__ import annotations

import math
import re

from iptables_emu.options.numbers import U32, U64

_UNSIGNED = {
    0: re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)"),
    10: re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)"),
}
_DIGITS = re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)")
_REAL = re.compile(
    r"[ \t\n\v\f\r]*([+-]?(?:0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(?:p[+-]?\d+)?|inf(?:inity)?|nan"
    r"|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?))",
    re.IGNORECASE,
)
MOST_DIGITS = 23  # of a number of 64 bits, octal


def strtoul(text: str, base: int = 0) -> tuple[int, str]:
    """(value of 64 bits, the rest); without digits (0, the whole text). A minus wraps around."""
    found = _UNSIGNED[base].match(text)
    if found is None:
        return 0, text
    sign, digits = found.groups()
    if base == 0:
        base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
    value = _whole(digits[2:] if base == 16 else digits, base)
    value = U64 if value > U64 else -value & U64 if sign == "-" else value
    return value, text[found.end() :]


def _whole(digits: str, base: int) -> int:
    """The number, or one as far above 64 bits: Python does not read any length."""
    return int(digits.lstrip("0")[:MOST_DIGITS] or "0", base)


def atoll(text: str) -> int:
    """The leading decimal number as an unsigned 64-bit value, 0 when there is none."""
    found = _DIGITS.match(text)
    if found is None:
        return 0
    sign, digits = found.groups()
    value = _whole(digits, 10)
    return max(-(1 << 63), min(-value if sign == "-" else value, (1 << 63) - 1)) & U64


def strtod(text: str) -> tuple[float, str] | None:
    """(value, the rest) of a leading real number, None when there is none."""
    found = _REAL.match(text)
    if found is None:
        return None
    digits = found[1]
    if "x" not in digits.lower():
        return float(digits), text[found.end() :]
    try:
        return float.fromhex(digits), text[found.end() :]
    except OverflowError:
        return math.inf, text[found.end() :]


def unsigned(value: float) -> int:
    """C's conversion of a double to 32 bits as the usual processors do it: by way of 64 bits, too big gives 0."""
    return int(value) & U32 if math.isfinite(value) and abs(value) < 2.0**63 else 0
