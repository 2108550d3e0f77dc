"""Delivery to the host itself: sockets, and the stack's own answers (kernel: ip_input.c, tcp_ipv4.c, udp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.engine import icmp
from iptables_emu.packet.packet import HOST, ICMP, ICMPV6, TCP, UDP, UDPLITE, Packet, transport_checksum_good

if TYPE_CHECKING:
    from iptables_emu.engine.path import Path
    from iptables_emu.engine.routing import Decision


def deliver(path: Path, pkt: Packet, decision: Decision) -> None:
    """Hand the packet to its protocol, which may answer."""
    if pkt.proto == TCP:
        if not decision.broadcast:
            _tcp(path, pkt)
    elif pkt.proto in (UDP, UDPLITE):
        _udp(path, pkt, decision)
    elif pkt.proto == ICMP and pkt.family == 4:
        _icmp4(path, pkt, decision)
    elif pkt.proto == ICMPV6 and pkt.family == 6:
        _icmp6(path, pkt, decision)
    elif pkt.family == 4:
        if pkt.proto not in HANDLED4:
            path.error(pkt, 3, 2)
    elif pkt.proto not in HANDLED6:
        at = 40 if pkt.l4 == 40 else pkt.l4
        path.error(pkt, 4, 1, 6 if at == 40 else at)


# protocols with a handler of their own besides the ones above, which take the packet without an answer
HANDLED4 = frozenset({2, 4, 41})
HANDLED6 = frozenset({59, 4, 41})


def _tcp(path: Path, pkt: Packet) -> None:
    segment = pkt.transport(20)
    if segment is None or pkt.pkttype != HOST or len(segment) < (segment[12] >> 4) * 4 or segment[12] >> 4 < 5:
        return
    if not transport_checksum_good(pkt):
        return
    port = int.from_bytes(segment[2:4], "big")
    if path.host.listens(TCP, pkt.family, pkt.dst, port):
        _syn_ack(path, pkt, segment)
        return
    reset = icmp.tcp_reset(pkt)
    if reset is not None:
        path.send_own(reset, pkt, attach=False)


def _syn_ack(path: Path, pkt: Packet, segment: bytes) -> None:
    """A listener answers a SYN; its sequence number is drawn."""
    if segment[13] & 0x17 != 2:
        if segment[13] & 0x10 and not segment[13] & 4:
            reset = icmp.tcp_reset(pkt)
            if reset is not None:
                path.send_own(reset, pkt, attach=False)
        return
    ack = int.from_bytes(segment[4:8], "big") + 1 & 0xFFFFFFFF
    mss = 1460 if pkt.family == 4 else 1440
    answer = icmp.tcp(pkt.family, pkt.dst, pkt.src, segment[2:4] + segment[:2], path.machine.rng.getrandbits(32), ack,
                      0x12, 64240 if pkt.family == 4 else 64800, b"\x02\x04" + mss.to_bytes(2, "big"))  # fmt: skip
    path.send_own(answer, pkt, attach=False)


def _udp(path: Path, pkt: Packet, decision: Decision) -> None:
    segment = pkt.transport(8)
    if segment is None or not transport_checksum_good(pkt):
        return
    size = int.from_bytes(segment[4:6], "big")
    if pkt.proto == UDP and not 8 <= size <= len(segment):
        return
    port = int.from_bytes(segment[2:4], "big")
    if decision.broadcast or path.host.listens(pkt.proto, pkt.family, pkt.dst, port):
        return
    path.error(pkt, *((3, 3) if pkt.family == 4 else (1, 4)))


def _icmp4(path: Path, pkt: Packet, decision: Decision) -> None:
    segment = pkt.transport(8)
    conf = path.host.sysctls
    if segment is None or not transport_checksum_good(pkt):
        return
    if decision.broadcast and conf.get("net.ipv4.icmp_echo_ignore_broadcasts") and segment[0] in (8, 13):
        return
    source = pkt.dst
    if decision.broadcast:
        chosen = path.host.primary_address(pkt.iif, 4)
        if chosen is None:
            return
        source = chosen
    if segment[0] == 8 and not conf.get("net.ipv4.icmp_echo_ignore_all"):
        path.send_own(icmp.echo_reply(pkt, source), pkt, attach=False)
    elif segment[0] == 13 and len(segment) >= 12:
        path.send_own(icmp.timestamp_reply(pkt, source, path.machine.now), pkt, attach=False)


def _icmp6(path: Path, pkt: Packet, decision: Decision) -> None:
    segment = pkt.transport(8)
    if segment is None or not transport_checksum_good(pkt):
        return
    if segment[0] == 128 and not path.host.sysctls.get("net.ipv6.icmp.echo_ignore_all"):
        source: int | None = pkt.dst
        if decision.broadcast:
            source = path.host.select_source(pkt.iif, 6, pkt.src)
        if source is not None:
            path.send_own(icmp.echo_reply(pkt, source), pkt, attach=False)
