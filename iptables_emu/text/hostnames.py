"""``-s`` and ``-d``: addresses, masks, networks and lists of them (libxtables: xtables_ipparse_multiple)."""

from __future__ import annotations

from functools import lru_cache

from iptables_emu.model.address import FULL, parse_plain, prefix_mask
from iptables_emu.options.names import NETWORKS
from iptables_emu.options.numbers import strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import blen, inet_aton


@lru_cache(maxsize=4096)
def address_list(text: str, family: int) -> tuple[tuple[int, int], ...]:
    """``a/m,b,...`` -> ((address without host bits, mask), ...). Raises ParameterProblem."""
    return tuple([_address(part, family) for part in text.split(",")])


def _address(part: str, family: int) -> tuple[int, int]:
    part = part.lstrip(" \t\n\v\f\r")
    if blen(part) > 255:
        raise ParameterProblem("Hostname too long")
    name, slash, mask_text = part.rpartition("/")
    if not slash:
        name, mask = part, FULL[family]
    else:
        mask = parse_mask(mask_text, family)
    value = 0 if mask == 0 else parse_host(name, family)
    return value & mask, mask


@lru_cache(maxsize=256)
def parse_mask(text: str, family: int) -> int:
    """A prefix length or a mask spelt out. Raises ParameterProblem."""
    whole = _dotted(text, complete=True) if family == 4 else parse_plain(text, 6)
    if whole is not None:
        return whole
    bits = strict(text, 0, 32 if family == 4 else 128)
    if bits is None:
        raise ParameterProblem(f"invalid mask `{text}' specified")
    return prefix_mask(bits, family)


def parse_host(text: str, family: int) -> int:
    """An address as iptables spells it, or a network's name. Raises ParameterProblem."""
    value = parse_plain(text, family)
    if value is None:
        value = _other_spelling(text) if family == 4 else _scoped(text)
    if value is None:
        raise ParameterProblem(f"host/network `{text}' not found")
    return value


def _other_spelling(text: str) -> int | None:
    value = _dotted(text, complete=False)
    if value is None:
        value = NETWORKS.get(text)
    if value is None:
        value = inet_aton(text)
    if value is None and text[:7].lower() == "::ffff:":
        mapped = parse_plain(text, 6)
        if mapped is not None and mapped >> 32 == 0xFFFF:
            value = mapped & 0xFFFFFFFF
    return 0x7F000001 if value is None and text == "localhost" else value


def _scoped(text: str) -> int | None:
    """``fe80::1%lo``: getaddrinfo takes a zone that exists, or a number, and iptables forgets it."""
    where, percent, zone = text.partition("%")
    value = parse_plain(where, 6) if percent else None
    if value is None:
        return None
    local = value >> 118 == 0x3FA or value >> 112 & 0xFF0F == 0xFF02
    return value if (zone == "lo" and local) or (zone.isdecimal() and zone.isascii()) else None


def _dotted(text: str, complete: bool) -> int | None:
    """``1.2.3.4`` with each part in any base; short forms are filled with zeros on the right."""
    parts = text[:19].split(".", 3)
    if len(parts) < 4 and complete:
        return None
    value = 0
    for part in parts:
        byte = strict(part, 0, 255)
        if byte is None:
            return None
        value = value << 8 | byte
    return value << 8 * (4 - len(parts))
