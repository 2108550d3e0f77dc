"""The Internet checksum (RFC 1071)."""

from __future__ import annotations


def internet_checksum(data: bytes) -> int:
    """The 16-bit one's complement checksum of ``data``; an odd last byte counts as the high half of a word.

    Over data that holds its own right checksum the answer is 0.
    """
    if len(data) % 2:
        data += b"\0"
    # 65536 is 1 modulo 65535, so the whole run as one number has the same remainder as the sum of its words
    number = int.from_bytes(data, "big")
    if not number:
        return 0xFFFF
    return 0xFFFF - (number % 0xFFFF or 0xFFFF)
