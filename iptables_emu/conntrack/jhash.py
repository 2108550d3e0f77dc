"""Bob Jenkins' hash as the kernel uses it to spread NAT addresses (linux/jhash.h)."""

from __future__ import annotations

from collections.abc import Sequence

MASK = 0xFFFFFFFF
INITVAL = 0xDEADBEEF


def _rol(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & MASK


def jhash2(words: Sequence[int], initval: int) -> int:
    """Hash of 32-bit words."""
    left = len(words)
    a = b = c = INITVAL + (left << 2) + initval & MASK
    at = 0
    while left > 3:
        a, b, c = a + words[at] & MASK, b + words[at + 1] & MASK, c + words[at + 2] & MASK
        a, b, c = _mix(a, b, c)
        at, left = at + 3, left - 3
    if left == 0:
        return c
    tail = [*words[at:], 0, 0][:3]
    c, b, a = c + (tail[2] if left == 3 else 0) & MASK, b + (tail[1] if left >= 2 else 0) & MASK, a + tail[0] & MASK
    return _final(a, b, c)


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a = (a - c & MASK) ^ _rol(c, 4)
    c = c + b & MASK
    b = (b - a & MASK) ^ _rol(a, 6)
    a = a + c & MASK
    c = (c - b & MASK) ^ _rol(b, 8)
    b = b + a & MASK
    a = (a - c & MASK) ^ _rol(c, 16)
    c = c + b & MASK
    b = (b - a & MASK) ^ _rol(a, 19)
    a = a + c & MASK
    c = (c - b & MASK) ^ _rol(b, 4)
    b = b + a & MASK
    return a, b, c


def _final(a: int, b: int, c: int) -> int:
    c = (c ^ b) - _rol(b, 14) & MASK
    a = (a ^ c) - _rol(c, 11) & MASK
    b = (b ^ a) - _rol(a, 25) & MASK
    c = (c ^ b) - _rol(b, 16) & MASK
    a = (a ^ c) - _rol(c, 4) & MASK
    b = (b ^ a) - _rol(a, 14) & MASK
    return (c ^ b) - _rol(b, 24) & MASK


def words_of(address: int, family: int) -> list[int]:
    """An address as the four little-endian words of a union nf_inet_addr on x86."""
    raw = address.to_bytes(4, "big") + bytes(12) if family == 4 else address.to_bytes(16, "big")
    return [int.from_bytes(raw[i : i + 4], "little") for i in range(0, 16, 4)]
