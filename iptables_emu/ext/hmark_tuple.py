"""What HMARK hashes of a packet (kernel: xt_HMARK.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.conntrack.jhash import jhash2
from iptables_emu.options.numbers import U32
from iptables_emu.packet.packet import (
    AH,
    DCCP,
    DSTOPTS,
    ESP,
    FRAGMENT,
    HOPOPTS,
    ICMP,
    ICMPV6,
    ROUTING,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
)

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet

PORTS_AT = {TCP: 0, UDP: 0, DCCP: 0, ESP: 0, SCTP: 0, UDPLITE: 0, AH: 4}  # proto_ports_offset
ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})


@dataclass(frozen=True, slots=True)
class Shape:
    """Which bits count. The ports are one word: source in the high half; a SPI is that word."""

    src_mask: int
    dst_mask: int
    port_mask: int
    port_set: int
    proto_mask: int
    rnd: int
    ct: bool


@dataclass(slots=True)
class Tuple:
    """Addresses folded into 32 bits."""

    src: int = 0
    dst: int = 0
    ports: int = 0
    proto: int = 0


def flow_hash(pkt: Packet, shape: Shape) -> int | None:
    """The 32-bit hash, or None when the kernel leaves the mark alone."""
    if shape.ct:
        found = _of_connection(pkt, shape)
    else:
        found = _of_ipv4(pkt, shape) if pkt.family == 4 else _of_ipv6(bytes(pkt.data[: pkt.length]), shape)
    if found is None:
        return None
    ends = sorted((found.src, found.dst))
    return jhash2((*ends, found.ports), shape.rnd) ^ found.proto & shape.proto_mask


def _fold(address: int, mask: int) -> int:
    """The masked address, the four words of an IPv6 address combined."""
    address &= mask
    return (address ^ address >> 32 ^ address >> 64 ^ address >> 96) & U32


def _ports(word: int, shape: Shape) -> int:
    """Both ports, the greater one in the high half."""
    word = word & shape.port_mask | shape.port_set
    src, dst = word >> 16, word & 0xFFFF
    return dst << 16 | src if dst > src else word


def _ports_at(data: bytes, at: int, proto: int, shape: Shape) -> int:
    offset = PORTS_AT.get(proto)
    if offset is None or at + offset + 4 > len(data):
        return 0
    return _ports(int.from_bytes(data[at + offset : at + offset + 4], "big"), shape)


def _of_connection(pkt: Packet, shape: Shape) -> Tuple | None:
    if pkt.ct is None:
        return None
    original, reply = pkt.ct.original, pkt.ct.reply
    found = Tuple(_fold(original.src, shape.src_mask), _fold(reply.src, shape.dst_mask), proto=original.proto)
    if original.proto != ICMP:
        found.ports = _ports(original.sport << 16 | reply.sport, shape)
    return found


def _of_ipv4(pkt: Packet, shape: Shape) -> Tuple | None:
    data = bytes(pkt.data[: pkt.length])
    at, l4 = 0, pkt.l4
    if data[9] == ICMP and l4 + 8 <= len(data) and data[l4] in ICMP_ERRORS:
        at = l4 + 8  # an error belongs to the flow it is about
        if at + 20 > len(data):
            return None
        l4 = at + (data[at] & 15) * 4
    src, dst = (int.from_bytes(data[at + i : at + i + 4], "big") for i in (12, 16))
    proto = data[at + 9]
    found = Tuple(src & shape.src_mask, dst & shape.dst_mask, proto=proto)
    fragment = int.from_bytes(data[at + 6 : at + 8], "big") & 0x3FFF
    if proto != ICMP and not fragment:
        found.ports = _ports_at(data, l4, proto, shape)
    return found


def _of_ipv6(data: bytes, shape: Shape) -> Tuple | None:
    at = 0
    header = _last_header(data, 0)
    if header is None:
        return Tuple()  # the kernel hashes a tuple of zeros then
    proto, l4, fragment = header
    if not fragment and proto == ICMPV6 and l4 + 8 <= len(data) and 0 < data[l4] < 128:
        at = l4 + 8
        header = _last_header(data, at)
        if header is None:
            return None
        proto, l4, fragment = header
    src, dst = (int.from_bytes(data[at + i : at + i + 16], "big") for i in (8, 24))
    found = Tuple(_fold(src, shape.src_mask), _fold(dst, shape.dst_mask), proto=proto)
    if proto != ICMPV6 and not fragment:
        found.ports = _ports_at(data, l4, proto, shape)
    return found


def _last_header(data: bytes, at: int) -> tuple[int, int, bool] | None:
    """(protocol, offset, whether it is a fragment) behind the extension headers; AH counts as a protocol."""
    if at + 40 > len(data) or data[at] >> 4 != 6:
        return None
    proto, at, fragment = data[at + 6], at + 40, False
    while proto in (HOPOPTS, ROUTING, FRAGMENT, DSTOPTS):
        if at + 2 > len(data):
            return None
        if proto == FRAGMENT:
            if at + 4 > len(data):
                return None
            fragment = True
            if int.from_bytes(data[at + 2 : at + 4], "big") & 0xFFF8:
                following = data[at]
                return None if following in (HOPOPTS, ROUTING, FRAGMENT, DSTOPTS, AH) else (following, at, True)
            size = 8
        else:
            size = (data[at + 1] + 1) * 8
        proto, at = data[at], at + size
    return proto, at, fragment


__all__ = ["Shape", "flow_hash"]
