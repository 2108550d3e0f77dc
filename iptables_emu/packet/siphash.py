"""SipHash-2-4, with which the kernel spreads flows (linux/siphash.h)."""

from __future__ import annotations

MASK = 0xFFFFFFFFFFFFFFFF
START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def siphash(data: bytes, key: tuple[int, int]) -> int:
    """64 bits of hash of bytes; ``key`` is two numbers of 64 bits."""
    v = [START[i] ^ key[i & 1] for i in range(4)]
    whole = len(data) & ~7
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        _rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _rounds(v: list[int], count: int) -> None:
    a, b, c, d = v
    for _ in range(count):
        a = a + b & MASK
        b = _rol(b, 13) ^ a
        a = _rol(a, 32)
        c = c + d & MASK
        d = _rol(d, 16) ^ c
        a = a + d & MASK
        d = _rol(d, 21) ^ a
        c = c + b & MASK
        b = _rol(b, 17) ^ c
        c = _rol(c, 32)
    v[:] = a, b, c, d


def _rol(value: int, bits: int) -> int:
    return (value << bits | value >> 64 - bits) & MASK
