"""ICMPv6 that the host sends of its own accord: errors and redirects (kernel: ipv6/icmp.c, ndisc.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.engine import icmp, link
from iptables_emu.engine.asked import Said
from iptables_emu.engine.own import send_own
from iptables_emu.engine.routing6 import output6
from iptables_emu.host.address6 import LOOPBACK, anycast, in_order, is_link_local, is_multicast, select_source
from iptables_emu.packet.exthdr import skip_headers
from iptables_emu.packet.packet import HOST, ICMPV6, Packet

if TYPE_CHECKING:
    from iptables_emu.engine.decision import Decision
    from iptables_emu.engine.path import Path
    from iptables_emu.host.host import Host

TOO_BIG, PARAMETER_PROBLEM, UNKNOWN_OPTION, REDIRECT = 2, 4, 2, 137
INFORMATION = 0x80
MINIMUM_MTU = 1280
MILLISECOND = 1_000_000
SECOND = 1000 * MILLISECOND
TARGET_ADDRESS, REDIRECTED_HEADER = 2, 4


def may_report(pkt: Packet, kind: int, code: int = 0, info: int = 0) -> bool:
    """Whether an error about the packet may be sent at all (the rules at the head of icmp6_send)."""
    if is_multicast(pkt.dst) or pkt.pkttype != HOST:
        unknown = kind == PARAMETER_PROBLEM and code == UNKNOWN_OPTION and info < len(pkt.data)
        if kind != TOO_BIG and not (unknown and pkt.data[info] & 0xC0 == 0x80):
            return False
    return pkt.src != 0 and not is_multicast(pkt.src) and not _is_error(pkt)


def _is_error(pkt: Packet) -> bool:
    """An ICMPv6 error is never answered by another, nor what may be one (is_ineligible)."""
    found = skip_headers(pkt.data)
    if found is None:
        return False
    proto, at, fragment = found
    if proto != ICMPV6:
        return False
    if at >= len(pkt.data):
        return not fragment
    return not pkt.data[at] & INFORMATION


def error_way(host: Host, pkt: Packet, dev: str, kind: int = 0, code: int = 0) -> tuple[int, Decision] | None:
    """Source and route of an error about a packet, None where there is no way. ``dev``: the interface it is at."""
    link = pkt.link or pkt.iif
    said = Said(ICMPV6, dport=kind << 8 | code, about=pkt)  # type and code stand where ports do
    oif = (link if dev in ("lo", "") else dev) if is_link_local(pkt.src) else ""
    source = pkt.dst if pkt.pkttype == HOST and _own(host, pkt.dst, dev) else None
    if source is None:
        way = output6(host, pkt.src, oif=oif, said=said)
        if link and (way.route is None or way.route.src is None):
            source = select_source(host, link, pkt.src)
    way = output6(host, pkt.src, src=source or 0, oif=oif, choose=True, said=said)
    as_unicast = host.sysctls.get("net.ipv6.icmp.error_anycast_as_unicast")
    if way.kind not in ("forward", "local") or (way.anycast and not as_unicast):
        return None
    if source is None:
        source = way.source(host, pkt.src)
    return None if source is None else (source, way)


def _own(host: Host, address: int, dev: str) -> bool:
    """Whether an error about a packet to the address comes from it: on its own link, if it means nothing beyond."""
    narrow = is_link_local(address) or address == LOOPBACK
    if any(a.value == address for i in host.interfaces.values() if not narrow or i.name == dev for a in i.addresses):
        return True
    return anycast(host, address, dev if is_link_local(address) else "")


def send_error(path: Path, pkt: Packet, kind: int, code: int, info: int = 0, dev: str = "") -> None:
    """icmp6_send. ``dev``: the interface the packet is at, if that is not the one it came by."""
    if not may_report(pkt, kind, code, info):
        return
    found = error_way(path.host, pkt, dev or pkt.iif or "lo", kind, code)
    if found is not None:
        source, way = found
        if not path.rations.allow(6, pkt.src, (kind, code), way, pkt.iif, path.machine.now):
            return
        send_own(path, icmp.error6(pkt, source, kind, code, info), pkt, attach=True, way=way)


def send_redirect(path: Path, pkt: Packet, decision: Decision) -> None:
    """A better first hop, told to the sender of a packet that leaves by the link it came by (ndisc_send_redirect)."""
    host, machine = path.host, path.machine
    target = decision.route.via if decision.route and decision.route.via is not None else pkt.dst
    if not path.peers.of(6, pkt.dst, machine.now).allow(machine.now, SECOND):
        return
    own = (
        next((a.value for a in in_order(host.interfaces[pkt.iif]) if is_link_local(a.value)), None) if pkt.iif else None
    )
    if own is None or (target != pkt.dst and not is_link_local(target)):
        return
    way = output6(host, pkt.src, src=own, oif=pkt.iif, said=Said(ICMPV6, dport=REDIRECT << 8))
    if way.route is None or way.kind not in ("forward", "local") or way.route.via is not None:
        return
    if not path.peers.of(6, pkt.src, machine.now).allow(machine.now, SECOND):
        return
    options = b""
    mac = link.neighbour(path.host, decision.dev, target, pkt, decision)
    if mac is not None:
        options += bytes((TARGET_ADDRESS, 1)) + mac
    room = min(MINIMUM_MTU - 40 - 40 - len(options), len(pkt.data) + 8) & ~7
    options += bytes((REDIRECTED_HEADER, room >> 3)) + bytes(6) + bytes(pkt.data)[: room - 8]
    body = bytes((REDIRECT, 0)) + bytes(6) + target.to_bytes(16, "big") + pkt.dst.to_bytes(16, "big") + options
    send_own(path, icmp.icmp6(own, pkt.src, body, ttl=255), None, attach=False, way=way)
