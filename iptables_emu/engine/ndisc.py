"""Neighbour discovery: what the host answers to solicitations (kernel: ipv6/ndisc.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.engine import icmp
from iptables_emu.engine.decision import Decision, way
from iptables_emu.engine.learn import redirected6
from iptables_emu.engine.own import send_own
from iptables_emu.host.address6 import ALL_NODES, SOLICITED_NODE, anycast, in_order, is_link_local, is_multicast
from iptables_emu.host.fib import Route
from iptables_emu.packet.packet import Packet

if TYPE_CHECKING:
    from iptables_emu.engine.path import Path

SOLICITATION, ADVERTISEMENT, REDIRECT = 135, 136, 137
SOURCE_ADDRESS, TARGET_ADDRESS = 1, 2
ROUTER, SOLICITED, OVERRIDE = 0x80, 0x40, 0x20
HOP_LIMIT = 255


def solicited(path: Path, pkt: Packet, segment: bytes) -> None:
    """ndisc_recv_ns. Who asks without an address of its own looks for others that have the target (DAD)."""
    if pkt.ttl != HOP_LIMIT or segment[1] or len(segment) < 24 or pkt.frag_max:
        return
    target = int.from_bytes(segment[8:24], "big")
    searching, to_many = pkt.src == 0, is_multicast(pkt.dst)
    if is_multicast(target) or (searching and pkt.dst & ~0xFFFFFF != SOLICITED_NODE):
        return
    options = _options(segment[24:])
    link = options.get(SOURCE_ADDRESS) if options is not None else None
    if options is None or (link is not None and (len(link) != 8 or searching)):
        return
    interface = path.host.interfaces.get(pkt.iif)
    if interface is None or interface.kind == "loopback":
        return
    own = any(a.family == 6 and a.value == target for a in interface.addresses)
    if not own and not anycast(path.host, target, interface.name):
        return
    if searching:
        _advertise(path, interface.name, ALL_NODES[1], target, own=own, flags=OVERRIDE if own else 0, with_link=True)
    elif link is not None or not to_many or (interface.name, pkt.src) in path.met:
        path.met.add((interface.name, pkt.src))
        flags = SOLICITED | (OVERRIDE if own and to_many else 0)
        _advertise(path, interface.name, pkt.src, target, own=own, flags=flags, with_link=to_many)


def solicit(path: Path, dev: str, target: int, pkt: Packet) -> None:
    """ndisc_solicit: from the packet's own source if the link has it, else from the link-local address."""
    interface = path.host.interfaces[dev]
    own = [a.value for a in in_order(interface)]
    source = pkt.src if pkt.family == 6 and pkt.src in own else next((a for a in own if is_link_local(a)), None)
    if source is None:
        return
    group = SOLICITED_NODE | target & 0xFFFFFF
    body = bytes((SOLICITATION, 0)) + bytes(6) + target.to_bytes(16, "big")
    body += bytes((SOURCE_ADDRESS, 1)) + interface.mac
    route = Route(6, group, 128, dev)
    onward = Decision("forward", way(route, group), dev, route, broadcast=True)
    send_own(path, icmp.icmp6(source, group, body, ttl=HOP_LIMIT), None, attach=False, way=onward)


def advertised(path: Path, pkt: Packet, segment: bytes) -> None:
    """ndisc_recv_na: the link address of a neighbour that has been asked for."""
    if pkt.ttl != HOP_LIMIT or segment[1] or len(segment) < 24 or pkt.frag_max:
        return
    target = int.from_bytes(segment[8:24], "big")
    options = _options(segment[24:])
    told = options.get(TARGET_ADDRESS) if options is not None else None
    if is_multicast(target) or told is None or len(told) != 8 or (is_multicast(pkt.dst) and segment[4] & SOLICITED):
        return
    path.neighbours.learn((pkt.iif, target), told[2:8], only_known=True)


def redirected(path: Path, pkt: Packet, segment: bytes) -> None:
    """ndisc_redirect_rcv, as far as it looks at the message itself."""
    if pkt.ttl != HOP_LIMIT or segment[1] or len(segment) < 40 or pkt.frag_max or not is_link_local(pkt.src):
        return
    options = _options(segment[40:])
    if options is not None:
        redirected6(path, pkt, segment, options)


def _options(data: bytes) -> dict[int, bytes] | None:
    """The first option of each kind, None when one is broken (ndisc_parse_options)."""
    found: dict[int, bytes] = {}
    while data:
        size = data[1] * 8 if len(data) >= 2 else 0
        if not size or size > len(data):
            return None
        found.setdefault(data[0], data[:size])
        data = data[size:]
    return found


def _advertise(path: Path, dev: str, to: int, target: int, *, own: bool, flags: int, with_link: bool) -> None:
    """ndisc_send_na: straight onto the link, whatever the routes say."""
    host = path.host
    source = target if own else host.select_source(dev, 6, to)
    if source is None:
        return
    if host.sysctls.interface(6, dev, "forwarding"):
        flags |= ROUTER
    body = bytes((ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0)) + target.to_bytes(16, "big")
    if with_link:
        body += bytes((TARGET_ADDRESS, 1)) + host.interfaces[dev].mac
    route = Route(6, to, 128, dev)
    onward = Decision("forward", way(route, to), dev, route, broadcast=is_multicast(to))
    send_own(path, icmp.icmp6(source, to, body, ttl=HOP_LIMIT), None, attach=False, way=onward)
