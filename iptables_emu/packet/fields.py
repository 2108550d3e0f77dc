"""The packet's fields by name, as regions use them.

A getter gives an int, or None when the packet has no such field (or it is cut off).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.packet import ct_fields as ct
from iptables_emu.packet.exthdr import FIELD_ROWS

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Field:
    """One field: how it is read and how a person reads it."""

    label: str
    get: Callable[[Packet], int | None]
    show: str = "d"  # d decimal, x hexadecimal, a address, t tcp flags, s connection state, p packet type

    def text(self, value: int | None) -> str:
        if value is None:
            return "absent"
        if self.show == "x":
            return f"0x{value:x}"
        if self.show == "a":
            from iptables_emu.model.address import show

            return show(value, 4 if value < 1 << 32 else 6)
        if self.show == "t":
            names = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")
            return ",".join(n for i, n in enumerate(names) if value >> i & 1) or "NONE"
        if self.show == "s":
            return ct.STATE_NAMES[value]
        if self.show == "p":
            return PACKET_TYPES.get(value, str(value))
        return str(value)


def l4_bytes(at: int, size: int) -> Callable[[Packet], int | None]:
    """Getter of ``size`` bytes at offset ``at`` of the transport header of a first fragment."""

    def get(pkt: Packet) -> int | None:
        start = pkt.l4 + at
        if pkt.frag_offset or start + size > len(pkt.data):
            return None
        return int.from_bytes(pkt.data[start : start + size], "big")

    return get


PACKET_TYPES = {0: "unicast", 1: "broadcast", 2: "multicast", 3: "otherhost"}


def l4_bits(at: int, shift: int, mask: int) -> Callable[[Packet], int | None]:
    """Getter of some bits of one byte of the transport header."""
    whole = l4_bytes(at, 1)

    def get(pkt: Packet) -> int | None:
        byte = whole(pkt)
        return None if byte is None else byte >> shift & mask

    return get


def seen_pkttype(pkt: Packet) -> int:
    """The link layer's type as pkttype sees it: what a socket looped back counts by its destination
    (kernel: xt_pkttype.c)."""
    if pkt.pkttype != 5:  # PACKET_LOOPBACK
        return pkt.pkttype
    return 2 if pkt.family == 6 or pkt.dst >> 28 == 0xE else 1


FIELDS: dict[str, Field] = {
    "src": Field("source", lambda p: p.src, "a"),
    "dst": Field("destination", lambda p: p.dst, "a"),
    "proto": Field("protocol", lambda p: p.proto),
    "sport": Field("source port", l4_bytes(0, 2)),
    "dport": Field("destination port", l4_bytes(2, 2)),
    "tcp_flags": Field("flags", l4_bytes(13, 1), "t"),
    "icmp_type": Field("type", l4_bytes(0, 1)),
    "icmp_code": Field("code", l4_bytes(1, 1)),
    "spi": Field("spi", l4_bytes(0, 4)),
    "ah_spi": Field("spi", l4_bytes(4, 4)),
    "cpi": Field("cpi", l4_bytes(2, 2)),
    "dccp_type": Field("type", l4_bits(8, 1, 15)),
    "mark": Field("mark", lambda p: p.mark, "x"),
    "length": Field("length", lambda p: p.length),
    "ttl": Field("TTL", lambda p: p.ttl),
    "tos": Field("TOS", lambda p: p.tos, "x"),
    "mac": Field("source MAC", lambda p: None if p.iif == "lo" else p.source_mac, "x"),  # lo is no Ethernet
    "pkttype": Field("packet type", seen_pkttype, "p"),
    **{name: Field(label, get, show) for name, label, get, show in FIELD_ROWS},
    "ctstate": Field("state", ct.ct_state, "s"),
    "ctnat": Field("NAT status", ct.ct_nat, "x"),
    "ctstatus": Field("connection status", ct.ct_status, "x"),
    "ctmark": Field("connection mark", ct.ct_mark, "x"),
    "ctproto": Field("connection protocol", ct.ct_proto),
    "ctdir": Field("direction", ct.ct_direction),
    "ctorigsrc": Field("original source", ct.ct_tuple("original", "src"), "a"),
    "ctorigdst": Field("original destination", ct.ct_tuple("original", "dst"), "a"),
    "ctreplsrc": Field("reply source", ct.ct_tuple("reply", "src"), "a"),
    "ctrepldst": Field("reply destination", ct.ct_tuple("reply", "dst"), "a"),
    "ctorigsrcport": Field("original source port", ct.ct_tuple("original", "sport")),
    "ctorigdstport": Field("original destination port", ct.ct_tuple("original", "dport")),
    "ctreplsrcport": Field("reply source port", ct.ct_tuple("reply", "sport")),
    "ctrepldstport": Field("reply destination port", ct.ct_tuple("reply", "dport")),
}
