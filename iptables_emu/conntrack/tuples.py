"""Connection tuples, and conntrack's constants (kernel: nf_conntrack_tuple.h, nf_conntrack_common.h)."""

from __future__ import annotations

from typing import NamedTuple

from iptables_emu.model.address import show

# enum ip_conntrack_info
ESTABLISHED, RELATED, NEW, ESTABLISHED_REPLY, RELATED_REPLY = 0, 1, 2, 3, 4
IS_REPLY = 3
ORIGINAL, REPLY = 0, 1

# IPS_* bits
EXPECTED = 1 << 0
SEEN_REPLY = 1 << 1
ASSURED = 1 << 2
CONFIRMED = 1 << 3
SRC_NAT = 1 << 4
DST_NAT = 1 << 5
SEQ_ADJUST = 1 << 6
SRC_NAT_DONE = 1 << 7
DST_NAT_DONE = 1 << 8
DYING = 1 << 9
FIXED_TIMEOUT = 1 << 10
TEMPLATE = 1 << 11
HELPER = 1 << 13
OFFLOAD = 1 << 14
HW_OFFLOAD = 1 << 15
NAT_MASK = SRC_NAT | DST_NAT
NAT_DONE_MASK = SRC_NAT_DONE | DST_NAT_DONE

ICMP, TCP, UDP, GRE, ICMPV6, SCTP, UDPLITE = 1, 6, 17, 47, 58, 132, 136
GRE_PPP = b"\x88\x0b"
GRE_CALL, GRE_CALL_END = 6, 8  # where the call id is in a header of version 1
WITH_PORTS = frozenset({TCP, UDP, SCTP, UDPLITE})

# what answers what: echo, timestamp, information, address mask
ICMP_INVERSE = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17}
ICMPV6_INVERSE = {128: 129, 129: 128, 139: 140, 140: 139}
PROTOCOL_NAMES = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 58: "icmpv6", 132: "sctp"}


class Tuple(NamedTuple):
    """One direction. For ICMP ``sport`` is the id and ``dport`` type << 8 | code."""

    family: int
    src: int
    dst: int
    proto: int
    sport: int = 0
    dport: int = 0

    def inverse(self) -> Tuple:
        """The tuple of the other direction (nf_ct_invert_tuple)."""
        if self.proto in (ICMP, ICMPV6):
            table = ICMP_INVERSE if self.proto == ICMP else ICMPV6_INVERSE
            kind = table.get(self.dport >> 8, self.dport >> 8)
            return Tuple(self.family, self.dst, self.src, self.proto, self.sport, kind << 8 | self.dport & 255)
        return Tuple(self.family, self.dst, self.src, self.proto, self.dport, self.sport)

    def invertible(self) -> bool:
        if self.proto == ICMP:
            return self.dport >> 8 in ICMP_INVERSE
        if self.proto == ICMPV6:
            return self.dport >> 8 in ICMPV6_INVERSE
        return True

    def text(self) -> str:
        """As conntrack -L prints it."""
        out = f"src={show(self.src, self.family)} dst={show(self.dst, self.family)}"
        if self.proto in (ICMP, ICMPV6):
            return f"{out} type={self.dport >> 8} code={self.dport & 255} id={self.sport}"
        if self.proto in WITH_PORTS:
            return f"{out} sport={self.sport} dport={self.dport}"
        if self.proto == GRE:
            return f"{out} sport={self.sport} dport={self.dport}"
        return out


def read_tuple(family: int, src: int, dst: int, proto: int, segment: bytes) -> Tuple | None:
    """The tuple of a packet from its transport header; None when too little of it is there."""
    if proto in WITH_PORTS:
        if len(segment) < 4:
            return None
        return Tuple(family, src, dst, proto, int.from_bytes(segment[:2], "big"), int.from_bytes(segment[2:4], "big"))
    if proto in (ICMP, ICMPV6):
        if len(segment) < 8:
            return None
        return Tuple(family, src, dst, proto, int.from_bytes(segment[4:6], "big"), segment[0] << 8 | segment[1])
    if proto == GRE and names_call(segment):
        if segment[2:4] != GRE_PPP:
            return None
        return Tuple(family, src, dst, proto, 0, int.from_bytes(segment[6:8], "big"))
    return Tuple(family, src, dst, proto)


def names_call(segment: bytes) -> bool:
    """Whether a GRE header is PPTP's, with a call id."""
    return len(segment) >= GRE_CALL_END and segment[1] & 7 == 1
