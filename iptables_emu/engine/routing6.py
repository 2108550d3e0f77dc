"""Routing decisions of IPv6 (kernel: ipv6/route.c, ip6_output.c)."""

from __future__ import annotations

from dataclasses import replace

from iptables_emu.engine.asked import SILENT, Said, incoming
from iptables_emu.engine.decision import CALL, ERROR_KIND, Decision, way
from iptables_emu.host import fib6
from iptables_emu.host.address6 import has_joined, is_link_local, is_mapped, is_multicast, needs_interface
from iptables_emu.host.fib import Flow, Route
from iptables_emu.host.host import Host
from iptables_emu.model.address import show
from iptables_emu.packet.packet import Packet

NO_ROUTE, PROHIBITED, NOT_A_NEIGHBOUR = (1, 0), (1, 1), (1, 2)
ERRORS = {"ENETUNREACH": NO_ROUTE, "EACCES": PROHIBITED}


def input6(host: Host, pkt: Packet) -> Decision:
    """ip6_route_input, and what the chosen way does with the packet before it is forwarded."""
    dst, dev = pkt.dst, pkt.iif
    flow, strict = incoming(host, pkt), needs_interface(dst)
    found = fib6.find(host, flow, strict=strict, came_by=dev)
    route = found.route
    if found.error or route is None:
        return Decision(ERROR_KIND[found.error], f"no way to {show(dst, 6)}: {CALL[found.error]}",
                        error=ERRORS.get(found.error))  # fmt: skip
    if is_multicast(dst):
        if has_joined(host, dev, dst):
            return Decision("local", "multicast that this host has joined", dev, route, broadcast=True)
        return Decision("martian", "multicast that nobody here has joined")
    if route.type in ("local", "anycast"):
        return Decision("local", f"{show(dst, 6)} is this host", dev, route, anycast=route.type == "anycast")
    if not host.sysctls.all_of(6, "forwarding"):
        return Decision("unreachable", "not for this host, and forwarding is off")
    route = _chosen(host, route, replace(flow, oif=dev), pkt, strict)
    return Decision("forward", way(route, dst), route.dev, route, redirect=route.dev == dev)


def output6(
    host: Host, dst: int, *, src: int = 0, mark: int = 0, tos: int = 0, oif: str = "", choose: bool = False,
    said: Said = SILENT,
) -> Decision:  # fmt: skip
    """The route of a packet of this host (ip6_route_output). ``choose``: a source has to be found first
    (ip6_dst_lookup), and the look-up fails where there is none."""
    if not host.ipv6:
        return Decision("invalid", "IPv6 is off")
    strict = needs_interface(dst) or bool(oif and not src)
    flow = said.flow(dst, src=src, mark=mark, iif="lo", oif=oif, tos=tos)
    found = fib6.find(host, flow, strict=strict)
    if found.error or found.route is None:
        return Decision(ERROR_KIND[found.error], CALL[found.error])
    route = _chosen(host, found.route, flow, said.about, strict)
    decision = _way_out(host, route, dst)
    if choose:
        source = src or decision.source(host, dst)
        if source is None:
            return Decision("invalid", "Cannot assign requested address")
        if is_mapped(source) and not is_mapped(dst):
            return Decision("invalid", "Address family not supported by protocol")
    return decision


def _chosen(host: Host, route: Route, flow: Flow, pkt: Packet | None, strict: bool) -> Route:
    """One of several ways (fib6_select_path); where only one interface will do, the hash may be overruled."""
    chosen = host.exceptions.of(host.multipath.choose(route, flow, pkt), flow.dst)
    if route.hops and strict and flow.oif and chosen.dev != flow.oif:
        at = next((n for n, hop in enumerate(route.hops) if hop.dev == flow.oif), 0)
        return host.exceptions.of(host.multipath.taken(route, at), flow.dst)
    return chosen


def _way_out(host: Host, route: Route, dst: int) -> Decision:
    anycast = fib6.is_anycast(route, dst)
    if route.type in ("local", "anycast"):
        return Decision("local", f"{show(dst, 6)} is this host", "lo", route, anycast=anycast)
    return Decision("forward", way(route, dst), route.dev, route, broadcast=is_multicast(dst), anycast=anycast)


def refusal6(pkt: Packet) -> tuple[int, int] | bool | None:
    """Why a packet may not leave by another link than it came by: an ICMPv6 error, True for silence, None: it may."""
    if pkt.src in (0, 1) or is_multicast(pkt.src):
        return True
    return NOT_A_NEIGHBOUR if is_link_local(pkt.src) else None
