"""The options of a TCP header as the kernel's TCP reads them (kernel: tcp_parse_options)."""

from __future__ import annotations

from typing import Final

NOP, MSS, WSCALE, SACK, TIMESTAMP = 1, 2, 3, 4, 8
SIZES: Final = {MSS: 4, WSCALE: 3, SACK: 2, TIMESTAMP: 10}


def option_values(segment: bytes) -> dict[int, bytes]:
    """The values of the options of their right size."""
    data = segment[20 : (segment[12] >> 4) * 4]
    found, at = {}, 0
    while at < len(data) and data[at]:
        if data[at] == NOP:
            at += 1
            continue
        size = data[at + 1] if at + 1 < len(data) else 0
        if size < 2 or at + size > len(data):
            break
        if SIZES.get(data[at]) == size:
            found[data[at]] = data[at + 2 : at + size]
        at += size
    return found
