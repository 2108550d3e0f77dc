"""What ICMP teaches the host about a destination: a smaller path MTU, a better first hop
(kernel: icmp.c, udp.c, ipv4/route.c, ipv6/icmp.c, ipv6/route.c).

Only errors that are delivered here teach anything, and each protocol takes in only what is about packets of its own:
ICMP the host's echo replies (IPv6: any ICMPv6), UDP those of a socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.engine.asked import Said
from iptables_emu.host import fib6
from iptables_emu.host.address6 import is_link_local, is_multicast
from iptables_emu.host.fib import Flow, Route
from iptables_emu.packet.exthdr import skip_headers
from iptables_emu.packet.packet import ICMP, ICMPV6, UDP, UDPLITE, Malformed, Packet

if TYPE_CHECKING:
    from iptables_emu.engine.path import Path

FRAGMENTATION_NEEDED = (3, 4)
REDIRECT4 = 5
REDIRECT_CODES = frozenset(range(4))
NO_DISCOVERY, STRICT = 2, 3  # of ip_no_pmtu_disc
ECHO_REPLY = 0
TARGET_ADDRESS, REDIRECTED_HEADER = 2, 4
HOP_LIMIT = 255
LEAST = 8  # bytes of the quoted packet's payload


def taught4(path: Path, pkt: Packet, segment: bytes) -> None:
    """icmp_unreach and icmp_redirect."""
    if segment[:2] != bytes(FRAGMENTATION_NEEDED) and segment[0] != REDIRECT4:
        return
    quoted = _quoted(segment[8:])
    if quoted is None or quoted.family != 4:
        return
    route = _way_of(path, quoted)
    if route is None:
        return
    if segment[0] == REDIRECT4:
        _redirect4(path, pkt, segment, quoted, route)
        return
    mode = path.host.sysctls.get("net.ipv4.ip_no_pmtu_disc")
    if mode == NO_DISCOVERY or (mode == STRICT and quoted.proto in (UDP, UDPLITE, ICMP)):
        return
    mtu = int.from_bytes(segment[6:8], "big") if mode in (0, STRICT) else 0
    path.host.exceptions.too_big4(route, quoted.dst, mtu)


def _quoted(data: bytes) -> Packet | None:
    try:
        quoted = Packet(data)
    except Malformed:
        return None
    return quoted if len(data) >= quoted.l4 + LEAST else None


def _way_of(path: Path, quoted: Packet) -> Route | None:
    """The route of the host's own packet that an error quotes, None where nobody here takes the error."""
    host = path.host
    if quoted.proto == ICMP:
        mine = quoted.data[quoted.l4] == ECHO_REPLY
    else:
        mine = quoted.proto in (UDP, UDPLITE) and _socket_sent(path, quoted)
    if not mine or not host.is_local(quoted.src, 4):
        return None
    said = Said(ICMP) if quoted.proto == ICMP else Said(quoted.proto)
    probe = Packet(bytes(quoted.data[:20]) + bytes(8))
    return path.routing.output(probe, said=said).route


def _socket_sent(path: Path, quoted: Packet) -> bool:
    """Whether a socket of the host may have sent a datagram."""
    sport, dport = (int.from_bytes(quoted.data[quoted.l4 + at : quoted.l4 + at + 2], "big") for at in (0, 2))
    return path.host.sockets.find(quoted.proto, quoted.family, (quoted.dst, dport), (quoted.src, sport)) is not None


def _redirect4(path: Path, pkt: Packet, segment: bytes, quoted: Packet, route: Route) -> None:
    """__ip_do_redirect."""
    host, dev = path.host, pkt.iif
    conf = host.sysctls
    new, old = int.from_bytes(segment[4:8], "big"), pkt.src
    if segment[1] & 7 not in REDIRECT_CODES or route.gateway4 != old:
        return
    forwards = conf.interface(4, dev, "forwarding")
    if not (conf.both if forwards else conf.either)(4, dev, "accept_redirects"):
        return
    if new == old or new >> 28 == 14 or new == 0xFFFFFFFF or new >> 24 == 0:
        return
    if conf.either(4, dev, "shared_media"):
        if host.addr_type(new, 4) != "UNICAST":
            return
    elif not path.routing.same_link(dev, new, old) or (
        conf.either(4, dev, "secure_redirects") and not _is_gateway(path, new, dev)
    ):
        return
    if host.interfaces[route.dev].arp and (route.dev, new) not in host.neighbours:
        return  # it is asked for first; who sends the redirect again finds it known
    host.exceptions.redirected(route, quoted.dst, new)


def _is_gateway(path: Path, address: int, dev: str) -> bool:
    """Whether a route leads by this gateway already (ip_fib_check_default)."""
    return any(
        (hop.dev, hop.via) == (dev, address)
        for route in path.host.fibs[4].all()
        for hop in route.ways
    )


def taught6(path: Path, segment: bytes) -> None:
    """A packet that was too big (icmpv6_notify, ip6_update_pmtu)."""
    quoted = _noticed6(path, segment[8:])
    if quoted is None:
        return
    route = path.routing.output(quoted).route
    if route is not None:
        path.host.exceptions.too_big6(route, quoted.dst, int.from_bytes(segment[4:8], "big"))


def _noticed6(path: Path, data: bytes) -> Packet | None:
    """The quoted packet, if its protocol takes the error in."""
    found = skip_headers(data) if len(data) >= 40 else None
    if found is None or len(data) < found[1] + LEAST:
        return None
    try:
        quoted = Packet(data)
    except Malformed:
        return None
    quoted.proto, quoted.l4 = found[:2]
    if quoted.family != 6:
        return None
    if quoted.proto == ICMPV6:
        return quoted
    return quoted if quoted.proto in (UDP, UDPLITE) and _socket_sent(path, quoted) else None


def redirected6(path: Path, pkt: Packet, segment: bytes, options: dict[int, bytes]) -> None:
    """ndisc_redirect_rcv, rt6_do_redirect: only a host that does not forward listens to it."""
    host, dev = path.host, pkt.iif
    target, dst = int.from_bytes(segment[8:24], "big"), int.from_bytes(segment[24:40], "big")
    source, towards = pkt.dst, dst
    if REDIRECTED_HEADER in options:
        quoted = _noticed6(path, options[REDIRECTED_HEADER][8:])
        if quoted is None:
            return
        source, towards = quoted.src, quoted.dst
    if is_multicast(dst) or (target != dst and not is_link_local(target)):
        return
    if host.sysctls.interface(6, dev, "forwarding") or not host.sysctls.interface(6, dev, "accept_redirects"):
        return
    route = _route_by(path, Flow(towards, source, iif="lo", oif=dev), pkt.src)
    if route is not None:
        host.exceptions.redirected(route, dst, target)


def _route_by(path: Path, flow: Flow, gateway: int) -> Route | None:
    """The route whose gateway sent a redirect (__ip6_route_redirect)."""
    exceptions = path.host.exceptions
    for route in fib6.covering(path.host, flow):
        for hop in route.ways:
            way = fib6.by_way(route, hop)
            if hop.dev == flow.oif and hop.via is not None and gateway in (hop.via, exceptions.of(way, flow.dst).via):
                return way
    return None
