"""``-s`` and ``-d``: addresses, masks, networks and lists of them (libxtables: xtables_ipparse_multiple)."""

from __future__ import annotations

from iptables_emu.model.address import FULL, parse_plain, prefix_mask
from iptables_emu.options.names import NETWORKS
from iptables_emu.options.numbers import strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import blen, inet_aton

ANY: tuple[int, int] = (0, 0)


def address_list(text: str, family: int) -> list[tuple[int, int]]:
    """``a/m,b,...`` -> [(address without host bits, mask), ...]. Raises ParameterProblem."""
    out = []
    for part in text.split(","):
        part = part.lstrip(" \t\n\v\f\r")
        if blen(part) > 255:
            raise ParameterProblem("Hostname too long")
        name, slash, mask_text = part.rpartition("/")
        if not slash:
            name, mask = part, FULL[family]
        else:
            mask = parse_mask(mask_text, family)
        value = 0 if mask == 0 else parse_host(name, family)
        out.append((value & mask, mask))
    return out


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
    value = _dotted(text, complete=False) if family == 4 else parse_plain(text, 6)
    if value is None and family == 4:
        value = NETWORKS.get(text)
    if value is None and family == 4:
        value = inet_aton(text)
        mapped = parse_plain(text, 6) if value is None and text.lower().startswith("::ffff:") else None
        if mapped is not None and mapped >> 32 == 0xFFFF:
            value = mapped & 0xFFFFFFFF
    if value is None and text == "localhost":
        value = 0x7F000001 if family == 4 else 1
    if value is None:
        raise ParameterProblem(f"host/network `{text}' not found")
    return value


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
