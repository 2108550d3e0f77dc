"""Addresses as integers, with iptables' spellings.

All addresses and masks are host-order integers of 32 or 128 bits; ``family`` is 4 or 6.
"""

from __future__ import annotations

import ipaddress
import socket

from iptables_emu.options.numbers import strict

FULL = {4: 0xFFFFFFFF, 6: (1 << 128) - 1}
BITS = {4: 32, 6: 128}


def parse_plain(text: str, family: int) -> int | None:
    """A complete numeric address (inet_pton), or None."""
    try:
        packed = socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6, text)
    except (OSError, ValueError):
        return None
    return int.from_bytes(packed, "big")


def dotted(text: str) -> int | None:
    """``1.2.3.4`` with each part in any base, as libxtables reads a numeric IPv4 address; what is missing on the
    right is 0 (xtables_numeric_to_ipaddr). None when it is no address."""
    parts = [strict(part, 0, 255) for part in text[:19].split(".", 3)]
    value = 0
    for part in parts:
        if part is None:
            return None
        value = value << 8 | part
    return value << 8 * (4 - len(parts))


def uncompressed(value: int) -> str:
    """An IPv6 address in eight groups of four digits, as the kernel's %pI6 writes it."""
    return ":".join(f"{value >> 16 * at & 0xFFFF:04x}" for at in range(7, -1, -1))


def show(value: int, family: int) -> str:
    """The address as inet_ntop writes it."""
    if family == 4:
        return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
    return socket.inet_ntop(socket.AF_INET6, value.to_bytes(16, "big"))


def prefix_mask(bits: int, family: int) -> int:
    """The mask with ``bits`` leading ones."""
    return FULL[family] & ~(FULL[family] >> bits)


def mask_bits(mask: int, family: int) -> int | None:
    """Prefix length of a mask, or None when the ones are not contiguous."""
    inverse = mask ^ FULL[family]
    if inverse & (inverse + 1):
        return None
    return BITS[family] - inverse.bit_length()


def show_mask(mask: int, family: int) -> str:
    """The mask as a prefix length, or spelt out when it is none."""
    bits = mask_bits(mask, family)
    return show(mask, family) if bits is None else str(bits)


def network(text: str) -> tuple[int, int, int]:
    """(family, address, prefix length) of "10.0.0.1/8" or a bare address; host bits are kept. ValueError."""
    interface = ipaddress.ip_interface(text)
    return interface.version, int(interface.ip), interface.network.prefixlen


def family_of(text: str) -> int:
    """4 or 6 by the spelling."""
    return 6 if ":" in text else 4
