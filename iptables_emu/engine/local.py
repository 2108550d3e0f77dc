"""Delivery to the host itself: sockets, and the stack's own answers (kernel: ip_input.c, tcp_ipv4.c, udp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.engine import icmp
from iptables_emu.engine.asked import Said
from iptables_emu.engine.learn import taught4
from iptables_emu.engine.local6 import answer_icmp6, unpack
from iptables_emu.engine.own import send_own
from iptables_emu.engine.routing6 import output6
from iptables_emu.engine.sockets import syn_ack
from iptables_emu.host.address6 import needs_interface
from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.headers import tcp
from iptables_emu.packet.packet import HOST, ICMP, TCP, UDP, UDPLITE, Packet, transport_checksum_good
from iptables_emu.trace.events import Noted

if TYPE_CHECKING:
    from iptables_emu.engine.decision import Decision
    from iptables_emu.engine.path import Path
    from iptables_emu.host.sockets import Socket


def deliver(path: Path, pkt: Packet, decision: Decision) -> None:
    """Hand the packet to its protocol, which may answer."""
    if pkt.family == 6 and not unpack(path, pkt):
        return
    if pkt.proto == TCP:
        if not decision.broadcast:
            _tcp(path, pkt, decision)
    elif pkt.proto in (UDP, UDPLITE):
        _udp(path, pkt, decision)
    elif pkt.family == 6:
        answer_icmp6(path, pkt, decision)
    elif pkt.proto == ICMP:
        _icmp4(path, pkt, decision)
    elif pkt.proto not in HANDLED4:
        path.error(pkt, 3, 2)


# protocols with a handler of their own besides the ones above, which take the packet without an answer
HANDLED4 = frozenset({2, 103})
SUMMED_ANEW = 76  # bytes up to which UDP does not rely on what was summed up before (CHECKSUM_BREAK)


def _tcp(path: Path, pkt: Packet, decision: Decision) -> None:
    segment = pkt.transport(20)
    if segment is None or pkt.pkttype != HOST or len(segment) < (segment[12] >> 4) * 4 or segment[12] >> 4 < 5:
        return
    if not transport_checksum_good(pkt):
        return
    socket = _socket(path, pkt, segment)
    if not (_is_own(path, pkt) or (socket is not None and socket.transparent)):
        return
    if socket is not None and socket.peer is None:
        _syn_ack(path, pkt, segment, socket)
        return
    if socket is not None:
        path.machine.emit(Noted(pkt.number, "for a connected socket: what it answers is not shown"))
        return
    reset = icmp.tcp_reset(pkt)
    if reset is not None and not decision.anycast:
        send_own(path, reset, pkt, attach=False, way=_way_back(path, pkt))


def _is_own(path: Path, pkt: Packet) -> bool:
    """Whether an answer may come from the packet's destination: a route can make an address local that is not the
    host's, and IPv4 sends nothing from there."""
    return pkt.family == 6 or not pkt.dst or path.host.is_local(pkt.dst, 4)


def _socket(path: Path, pkt: Packet, segment: bytes) -> Socket | None:
    """The socket that the packet is for: TPROXY's, or the one that its ends lead to."""
    sport, dport = int.from_bytes(segment[:2], "big"), int.from_bytes(segment[2:4], "big")
    return pkt.sk or path.host.sockets.find(pkt.proto, pkt.family, (pkt.src, sport), (pkt.dst, dport))


def _way_back(path: Path, pkt: Packet) -> Decision | None:
    """The route of TCP's answer: to a neighbour's link-local address by the link it came by."""
    if pkt.family == 4:
        return None
    oif = (pkt.link or pkt.iif) if needs_interface(pkt.src) else ""
    ports = pkt.data[pkt.l4 : pkt.l4 + 4]
    said = Said(TCP, int.from_bytes(ports[2:], "big"), int.from_bytes(ports[:2], "big"))
    return output6(path.host, pkt.src, src=pkt.dst, oif=oif, choose=True, said=said)


def _syn_ack(path: Path, pkt: Packet, segment: bytes, listener: Socket) -> None:
    """A listener answers a SYN; its sequence number is drawn."""
    if segment[13] & 0x17 != 2:
        if segment[13] & 0x10 and not segment[13] & 4:
            reset = icmp.tcp_reset(pkt)
            if reset is not None:
                send_own(path, reset, pkt, attach=False, way=_way_back(path, pkt), by=listener)
        return
    ack = int.from_bytes(segment[4:8], "big") + 1 & 0xFFFFFFFF
    flags, window, options = syn_ack(path.host, pkt, segment, path.machine.rng)
    answer = tcp(pkt.family, pkt.dst, pkt.src, segment[2:4] + segment[:2], path.machine.rng.getrandbits(32), ack,
                 flags, window, options)  # fmt: skip
    send_own(path, answer, pkt, attach=False, way=_way_back(path, pkt), by=listener)


def _udp(path: Path, pkt: Packet, decision: Decision) -> None:
    segment = pkt.transport(8)
    if segment is None or not transport_checksum_good(pkt):
        return
    size = int.from_bytes(segment[4:6], "big")
    if pkt.proto == UDP:
        if pkt.family == 6 and size == 0:
            size = len(segment)  # a jumbogram's, which nothing here can be
        if not 8 <= size <= len(segment) or (size > SUMMED_ANEW and _outdated_sum(pkt)):
            return
        if size < len(segment):  # what is behind the datagram is cut off, also from what an error quotes
            pkt = pkt.copy()
            del pkt.data[pkt.l4 + size :]
    if decision.broadcast or _socket(path, pkt, segment) is not None:
        return
    # nf_reset_ct: conntrack finds the connection anew by what the error quotes
    pkt.ct, pkt.untracked, pkt.related_to_untracked = None, False, False
    path.error(pkt, *((3, 3) if pkt.family == 4 else (1, 4)))


def _outdated_sum(pkt: Packet) -> bool:
    """Whether conntrack's sum includes an IPv6 header that was written to since (udp6_csum_init)."""
    return pkt.sum_total is not None and internet_checksum(bytes(pkt.data)) != pkt.sum_total


def _icmp4(path: Path, pkt: Packet, decision: Decision) -> None:
    segment = pkt.transport(8)
    conf = path.host.sysctls
    if segment is None or not transport_checksum_good(pkt):
        return
    if decision.broadcast and conf.get("net.ipv4.icmp_echo_ignore_broadcasts") and segment[0] in (8, 13):
        return
    source = pkt.dst
    if not decision.broadcast and not _is_own(path, pkt):
        return
    if decision.broadcast:
        source = path.routing.own_address(pkt)
        if not source:
            return
    if segment[0] == 8 and not conf.get("net.ipv4.icmp_echo_ignore_all"):
        _answer(path, pkt, icmp.echo_reply(pkt, source), 0)
    elif segment[0] == 13 and len(segment) >= 12:
        _answer(path, pkt, icmp.timestamp_reply(pkt, source, path.machine.now), 14)
    elif not decision.broadcast:
        taught4(path, pkt, segment)


def _answer(path: Path, pkt: Packet, reply: bytes, kind: int) -> None:
    """icmp_reply."""
    if path.rations.rationed(4, kind, 0):
        way = path.routing.output(Packet(reply), any_source=True, said=Said(ICMP))
        if not path.rations.allow(4, pkt.src, (kind, 0), way, pkt.iif, path.machine.now):
            return
    send_own(path, reply, pkt, attach=False)
