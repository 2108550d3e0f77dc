"""Delivery of IPv6: extension headers, reassembly, and the protocol behind them (kernel: ip6_protocol_deliver_rcu)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.engine import fragments6, icmp, ndisc
from iptables_emu.engine.asked import Said
from iptables_emu.engine.learn import taught6
from iptables_emu.engine.own import send_own
from iptables_emu.engine.path6 import BAD_FIELD, INCOMPLETE, UNKNOWN_HEADER, read_options
from iptables_emu.engine.routing6 import output6
from iptables_emu.host.address6 import is_multicast
from iptables_emu.packet.packet import (
    DSTOPTS,
    FRAGMENT,
    HOPOPTS,
    HOST,
    ICMPV6,
    NO_NEXT,
    ROUTING,
    TCP,
    UDP,
    UDPLITE,
    Packet,
    transport_checksum_good,
)  # fmt: skip

if TYPE_CHECKING:
    from iptables_emu.engine.decision import Decision
    from iptables_emu.engine.path import Path

TOO_BIG, PARAMETER_PROBLEM = 2, 4
ECHO_REQUEST, ECHO_REPLY = 128, 129
PIM = 103  # taken by multicast routing, which sends no answer
SILENT_ROUTING_TYPES = frozenset({3, 4})  # segment routing, which is off


def unpack(path: Path, pkt: Packet) -> bool:
    """Take the headers before the transport header off, in their order; False: the packet has come to an end.

    A packet whose last fragment this is becomes whole. ``pkt.proto`` and ``pkt.l4`` then are what is delivered.
    """
    data = pkt.data
    whole = bool(pkt.frag_max)
    if not whole:
        named_at, at = (40, 40 + (data[41] + 1) * 8) if data[6] == HOPOPTS else (6, 40)
    else:
        # conntrack leaves the kernel with the place of the header that was behind the fragment's
        named_at, at = pkt.frag_named, pkt.frag_head
    while True:
        kind = pkt.data[named_at]
        if kind == FRAGMENT:
            piece = _fragment(path, pkt, at, named_at, whole)
            if piece is None:
                return False
            whole, named_at, at = True, *piece
            continue
        if kind not in (DSTOPTS, ROUTING):
            break
        size = (pkt.data[at + 1] + 1) * 8 if at + 2 <= len(pkt.data) else 8
        if at + size > len(pkt.data):
            return False
        if kind == ROUTING:
            if not _routing(path, pkt, at):
                return False
        elif not read_options(path, pkt, at, hop=False):
            return False
        named_at, at = at, at + size
    pkt.proto, pkt.l4 = kind, at
    if kind not in (TCP, UDP, UDPLITE, ICMPV6, NO_NEXT, PIM):
        path.error(pkt, PARAMETER_PROBLEM, UNKNOWN_HEADER, named_at)
        return False
    return kind not in (NO_NEXT, PIM)


def _routing(path: Path, pkt: Packet, at: int) -> bool:
    """ipv6_rthdr_rcv: only a header that has been used up lets the packet pass."""
    if is_multicast(pkt.dst) or pkt.pkttype != HOST or pkt.data[at + 2] in SILENT_ROUTING_TYPES:
        return False
    if pkt.data[at + 3]:
        path.error(pkt, PARAMETER_PROBLEM, BAD_FIELD, at + 2)
        return False
    return True


def _fragment(path: Path, pkt: Packet, at: int, named_at: int, whole: bool) -> tuple[int, int] | None:
    """ipv6_frag_rcv: where the next header's number and the header stand once all is there, else None."""
    data = pkt.data
    if whole or pkt.length == 40 or at + 8 > len(data):
        path.error(pkt, PARAMETER_PROBLEM, BAD_FIELD, at)
        return None
    piece = fragments6.at_header(data, at, named_at)
    if not piece.offset and not piece.more:
        return at, at + 8
    if fragments6.head_is_cut(pkt, 40, data[6]):
        path.error(pkt, PARAMETER_PROBLEM, INCOMPLETE, 0)
        return None
    try:
        done = path.machine.fragments6.add(pkt, piece, "", path.machine.now)
    except fragments6.Refused as refused:
        if refused.pointer:
            path.error(pkt, PARAMETER_PROBLEM, BAD_FIELD, refused.pointer)
        return None
    return (piece.named_at, pkt.frag_head) if done is not None else None


def answer_icmp6(path: Path, pkt: Packet, decision: Decision) -> None:
    """icmpv6_rcv: echo requests and neighbour solicitations are answered."""
    segment = bytes(pkt.data[pkt.l4 :])
    if len(segment) < 8 or not transport_checksum_good(pkt):
        return
    if segment[0] == ndisc.SOLICITATION:
        ndisc.solicited(path, pkt, segment)
    elif segment[0] == ndisc.ADVERTISEMENT:
        ndisc.advertised(path, pkt, segment)
    elif segment[0] == ndisc.REDIRECT:
        ndisc.redirected(path, pkt, segment)
    elif segment[0] == TOO_BIG:
        taught6(path, segment)
    if segment[0] != ECHO_REQUEST:
        return
    conf = path.host.sysctls
    if conf.get("net.ipv6.icmp.echo_ignore_all") or (
        conf.get("net.ipv6.icmp.echo_ignore_multicast") and is_multicast(pkt.dst)
    ) or (conf.get("net.ipv6.icmp.echo_ignore_anycast") and decision.anycast):
        return
    unicast = not decision.broadcast and not decision.anycast
    source = pkt.dst if unicast or (decision.anycast and conf.get("net.ipv6.anycast_src_echo_reply")) else 0
    oif = pkt.link or pkt.iif
    said = Said(ICMPV6, dport=ECHO_REPLY << 8)
    way = output6(path.host, pkt.src, src=source, oif=oif, choose=True, said=said)
    if way.kind not in ("forward", "local"):
        return
    if not path.rations.allow(6, pkt.src, (ECHO_REPLY, 0), way, pkt.iif, path.machine.now):
        return
    source = source or way.source(path.host, pkt.src) or 0
    body = bytes((ECHO_REPLY, segment[1], 0, 0)) + segment[4:]
    reply = icmp.icmp6(source, pkt.src, body, tos=pkt.tos)
    send_own(path, reply, pkt, attach=False, way=way)
