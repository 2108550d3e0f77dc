"""CRC-32C, the checksum of SCTP (RFC 4960 appendix B)."""

from __future__ import annotations

from functools import cache

POLYNOMIAL = 0x82F63B78


@cache
def _table() -> tuple[int, ...]:
    out = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
        out.append(value)
    return tuple(out)


def crc32c(data: bytes) -> int:
    """The CRC of the data."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF
