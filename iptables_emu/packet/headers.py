"""Packets that the host makes itself: IP and TCP headers with their checksums."""

from __future__ import annotations

from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.packet import TCP, pseudo_header


def ipv4(src: int, dst: int, proto: int, body: bytes, *, tos: int = 0, ttl: int = 64, df: bool = False) -> bytes:
    """An IPv4 packet of the host's own; its id is the host's choice and left 0."""
    head = bytearray(20)
    head[0], head[1] = 0x45, tos
    head[2:4] = (20 + len(body)).to_bytes(2, "big")
    head[6] = 0x40 if df else 0
    head[8], head[9] = ttl, proto
    head[12:16], head[16:20] = src.to_bytes(4, "big"), dst.to_bytes(4, "big")
    head[10:12] = internet_checksum(bytes(head)).to_bytes(2, "big")
    return bytes(head) + body


def ipv6(src: int, dst: int, proto: int, body: bytes, *, tos: int = 0, ttl: int = 64) -> bytes:
    """An IPv6 packet of the host's own, without flow label."""
    return ((6 << 28 | tos << 20).to_bytes(4, "big") + len(body).to_bytes(2, "big") + bytes((proto, ttl))
            + src.to_bytes(16, "big") + dst.to_bytes(16, "big") + body)  # fmt: skip


def tcp(
    family: int, src: int, dst: int, ports: bytes, seq: int, ack: int, flags: int, window: int, options: bytes = b"",
    tos: int = 0,
) -> bytes:  # fmt: skip
    """A TCP segment of the host's own in its IP packet."""
    size = 20 + len(options)
    segment = (ports + seq.to_bytes(4, "big") + ack.to_bytes(4, "big") + bytes((size << 2, flags))
               + window.to_bytes(2, "big") + bytes(4) + options)  # fmt: skip
    check = internet_checksum(pseudo_header(family, src, dst, TCP, len(segment)) + segment)
    segment = segment[:16] + check.to_bytes(2, "big") + segment[18:]
    if family == 4:
        return ipv4(src, dst, TCP, segment, df=True, tos=tos)
    return ipv6(src, dst, TCP, segment, tos=tos)
