"""The options of a TCP header as the kernel's targets step through them (xt_TCPMSS.c, xt_TCPOPTSTRIP.c)."""

from __future__ import annotations

from collections.abc import Iterator

NOP, MSS = 1, 2


def steps(segment: bytes | bytearray, end: int) -> Iterator[tuple[int, int]]:
    """(offset, length) of each option before ``end``; an option of length 0 counts as 1 byte."""
    at = 20
    while at < end:
        size = 1 if segment[at] <= NOP or segment[at + 1] == 0 else segment[at + 1]
        yield at, size
        at += size
