"""A TCP segment as tracking reads it (kernel: nf_conntrack_proto_tcp.c: tcp_options, tcp_sack, tcp_error)."""

from __future__ import annotations

from iptables_emu.conntrack import tcp_state as s
from iptables_emu.conntrack.tcp_state import Side

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
VALID_FLAGS = frozenset({SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG})
MASK = 0xFFFFFFFF
MOST_SCALE = 14  # TCP_MAX_WSCALE


def before(a: int, b: int) -> bool:
    return (a - b) & MASK >= 0x80000000


def after(a: int, b: int) -> bool:
    return before(b, a)


class Segment:
    """The fields of a TCP header that tracking reads."""

    __slots__ = ("ack", "end", "flags", "options", "seq", "size", "window")

    def __init__(self, segment: bytes) -> None:
        self.seq = int.from_bytes(segment[4:8], "big")
        self.ack = int.from_bytes(segment[8:12], "big")
        self.flags = segment[13]
        self.window = int.from_bytes(segment[14:16], "big")
        self.size = (segment[12] >> 4) * 4
        self.options = segment[20 : self.size]
        self.end = self.seq + len(segment) - self.size + bool(self.flags & SYN) + bool(self.flags & FIN) & MASK

    @property
    def kind(self) -> str:
        if self.flags & RST:
            return "rst"
        if self.flags & SYN:
            return "synack" if self.flags & ACK else "syn"
        if self.flags & FIN:
            return "fin"
        return "ack" if self.flags & ACK else "none"

    def walk(self) -> list[tuple[int, bytes]]:
        """(kind, data) of the options, up to the first that is broken."""
        out, at, data = [], 0, self.options
        while at < len(data):
            kind = data[at]
            if kind == 0:
                break
            if kind == 1:
                at += 1
                continue
            size = data[at + 1] if at + 1 < len(data) else 0
            if size < 2 or size > len(data) - at:
                break
            out.append((kind, bytes(data[at + 2 : at + size])))
            at += size
        return out

    def learn(self, side: Side) -> None:
        """Window scale and SACK permission (tcp_options)."""
        if not self.options:
            return
        side.scale = side.flags = 0
        for kind, data in self.walk():
            if kind == 4 and not data:
                side.flags |= s.SACK_PERM
            elif kind == 3 and len(data) == 1:
                side.scale = min(data[0], MOST_SCALE)
                side.flags |= s.WINDOW_SCALE

    def sack(self) -> int:
        """The highest right edge of a SACK block, or the ack."""
        out = self.ack
        for kind, data in self.walk():
            if kind == 5 and len(data) >= 8 and len(data) % 8 == 0:
                for at in range(0, len(data), 8):
                    edge = int.from_bytes(data[at + 4 : at + 8], "big")
                    if after(edge, out):
                        out = edge
                break
        return out


def error(segment: bytes, checksum_good: bool) -> str | None:
    """Why the segment is INVALID on sight, or None (tcp_error)."""
    if len(segment) < 20:
        return "short packet"
    size = (segment[12] >> 4) * 4
    if size < 20 or len(segment) < size:
        return "truncated packet"
    if not checksum_good:
        return "bad checksum"
    if segment[13] & ~(0xC0 | PSH) not in VALID_FLAGS:
        return "invalid tcp flag combination"
    return None
