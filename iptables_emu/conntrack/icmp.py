"""ICMP's errors, and what of it is not tracked (kernel: nf_conntrack_proto_icmp.c, nf_conntrack_proto_icmpv6.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.tuples import REPLY
from iptables_emu.engine.verdict import Verdict
from iptables_emu.host.address6 import is_link_local
from iptables_emu.packet.packet import ICMPV6, Malformed, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import CtTemplate

ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})
ICMPV6_UNTRACKED = frozenset({130, 131, 132, 133, 134, 135, 136, 143, 151, 152})
REDIRECT6, REDIRECTED_HEADER = 137, 4


def handle(core: Conntrack, pkt: Packet, hook: str, template: CtTemplate | None) -> Verdict | None:
    """ICMP's own cases; None: track it as any other packet (nf_conntrack_handle_icmp)."""
    segment = bytes(pkt.data[pkt.l4 : pkt.length])
    six = pkt.proto == ICMPV6
    if len(segment) < 8:
        return _invalid(core, pkt, "short packet")
    if not core.summed(pkt, hook):
        return _invalid(core, pkt, "bad hw icmp checksum" if not six else "ICMPv6 checksum failed")
    kind = segment[0]
    if six:
        if kind in ICMPV6_UNTRACKED:
            pkt.untracked = True
            return Verdict.ACCEPT
        if kind == REDIRECT6:
            return _redirect(core, pkt, segment, template)
        if kind >= 128:
            return None
    elif kind > 18:
        return _invalid(core, pkt, "invalid icmp type")
    elif kind not in ICMP_ERRORS:
        return None
    return _related(core, pkt, segment[8:], template)


def _redirect(core: Conntrack, pkt: Packet, segment: bytes, template: CtTemplate | None) -> Verdict | None:
    """IPv6's redirect quotes a packet in its first option (nf_conntrack_icmpv6_redirect)."""
    if len(segment) < 40:
        return _invalid(core, pkt, "short redirect")
    if segment[1]:
        return None
    if pkt.ttl != 255 or not is_link_local(pkt.src):
        return _invalid(core, pkt, "invalid saddr or hoplimit for redirect")
    if len(segment) < 42 or not segment[41]:
        return _invalid(core, pkt, "redirect without options")
    if segment[40] != REDIRECTED_HEADER:
        return _invalid(core, pkt, "redirect without the header of the packet")
    return _related(core, pkt, segment[48:], template)


def _related(core: Conntrack, pkt: Packet, quote: bytes, template: CtTemplate | None) -> Verdict:
    """An error belongs to the connection of the packet that it quotes (nf_conntrack_inet_error)."""
    inner = quoted(quote, pkt.family)
    key = core.read(*inner) if inner else None
    if key is None or not key.invertible():
        return _invalid(core, pkt, "invalid inner packet")
    found = core.find(key.inverse(), template)
    if found is None:
        return _invalid(core, pkt, "icmp error for no known connection")
    conn, direction = found
    if pkt.dst != conn.tuples[direction].dst:
        return _invalid(core, pkt, "outer daddr is not the inner one's")
    pkt.ct = conn
    pkt.ctinfo = t.RELATED_REPLY if direction == REPLY else t.RELATED
    return Verdict.ACCEPT


def _invalid(core: Conntrack, pkt: Packet, reason: str) -> Verdict:
    return core.invalid_packet(pkt, reason, error=True)


def quoted(data: bytes, family: int) -> tuple[int, int, int, int, bytes] | None:
    """(family, src, dst, protocol, transport bytes) of the packet quoted in an ICMP error, None when cut off."""
    try:
        inner = Packet(data)
    except Malformed:
        return None
    if inner.family != family or inner.frag_offset or inner.truncated:
        return None
    return family, inner.src, inner.dst, inner.proto, bytes(inner.data[inner.l4 :])
