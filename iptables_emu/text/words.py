"""Words of a command line that are neither options of rules nor of extensions: names and numbers."""

from __future__ import annotations

import re

from iptables_emu.ext import registry
from iptables_emu.model.rule import VERDICTS
from iptables_emu.options.numbers import U64, strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import blen
from iptables_emu.text.command import EXTENSION_NAME_MAX

_SPACE = re.compile(r"[ \t\n\v\f\r]")
_STRTOL = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)\Z")
_SCANF = {
    10: re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)"),
    0: re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)"),
}
_LONG_MAX = (1 << 63) - 1
_MOST_DIGITS = 64


def check_chain_name(name: str, family: int, announced: frozenset[str] | set[str] = frozenset()) -> None:
    """The name of a new chain; ``announced`` names are known to be no targets. Raises ParameterProblem."""
    if blen(name) >= EXTENSION_NAME_MAX:
        raise ParameterProblem(f"chain name `{name}' too long (must be under {EXTENSION_NAME_MAX} chars)")
    if name[:1] in ("-", "!") and name:
        raise ParameterProblem(f"chain name not allowed to start with `{name[0]}'")
    if not name or name in VERDICTS or (name not in announced and registry.find_target(name, family) is not None):
        raise ParameterProblem("chain name may not clash with target name")
    if _SPACE.search(name):
        raise ParameterProblem(f"Invalid chain name `{name}'")


def rule_number(text: str) -> int:
    """1 and up, in any base. Raises ParameterProblem."""
    value = strict(text, 1, 0x7FFFFFFF)
    if value is None:
        raise ParameterProblem(f"Invalid rule number `{text}'")
    return value


def delete_number(text: str) -> int:
    """The number of ``-D`` (strtol into 32 bits): no ranges outside ebtables. Raises ParameterProblem."""
    if ":" in text:
        raise ParameterProblem("Rule ranges are not supported")
    found = _STRTOL.match(text)
    value = max(-_LONG_MAX - 1, min(_number(found.group(1)), _LONG_MAX)) & 0xFFFFFFFF if found else 0
    if not value:
        raise ParameterProblem(f"Invalid rule number `{text}'")
    return value


def _number(digits: str, base: int = 10) -> int:
    """The number of some digits with a sign, or one that is larger than any of 64 bits."""
    sign, body = (digits[:1], digits[1:]) if digits[:1] in ("-", "+") else ("", digits)
    body = body.lstrip("0") or "0"
    value = int(body, base) if len(body) <= _MOST_DIGITS else U64 + 1
    return -value if sign == "-" else value


def scan_counter(text: str) -> int | None:
    """sscanf("%llu"): leading digits, a sign wraps around, too large is the largest."""
    found = _SCANF[10].match(text)
    if found is None:
        return None
    value = min(_number(found.group(2)), U64)
    return -value & U64 if found.group(1) == "-" and value < U64 else value


def scan_integer(text: str) -> int | None:
    """sscanf("%i")."""
    found = _SCANF[0].match(text)
    if found is None:
        return None
    digits = found.group(2)
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
    digits = digits[2:] if base == 16 else digits
    return _number(digits, base) * (-1 if found.group(1) == "-" else 1)
