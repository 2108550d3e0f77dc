"""The look-up of IPv6 routes (kernel: ip6_fib.c, fib6_rules.c, route.c)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from iptables_emu.host.address6 import anycast
from iptables_emu.host.fib import ERRORS, LOCAL, Flow, Found, Hop, Route

if TYPE_CHECKING:
    from iptables_emu.host.host import Host

# unlike IPv4's, an "unreachable" route says the same as no route (ip6_pkt_discard)
REFUSALS = {"unreachable": "ENETUNREACH", "prohibit": "EACCES", "blackhole": "EINVAL"}


def lookup(
    host: Host,
    dst: int,
    *,
    src: int = 0,
    mark: int = 0,
    iif: str = "",
    oif: str = "",
    tos: int = 0,
    strict: bool = False,
) -> Found:
    """The best route. ``oif`` is preferred among equal ones; with ``strict`` no other interface will do."""
    return find(host, Flow(dst, src, mark, iif, oif, tos), strict=strict)


def find(host: Host, flow: Flow, *, strict: bool = False, came_by: str = "") -> Found:
    """The best route of a flow; which way of several it takes is still open.

    ``came_by``: the interface by which a packet came, by which it had best go on; rules do not see it as ``oif``.
    """
    fib = host.fibs[6]
    for rule in fib.choosing(flow):
        if rule.action != "lookup":
            return Found(None, REFUSALS[rule.action])
        route = in_table(host, rule.table, flow.dst, came_by or flow.oif, strict)
        if route is None or route.type == "throw":
            continue
        if route.type in ERRORS:  # suppressors do not see it
            return Found(route, REFUSALS[route.type])
        if route.plen <= rule.suppress or fib.in_group(route, rule.suppress_group):
            continue
        return Found(route)
    return Found(None, "ENETUNREACH")


def covering(host: Host, flow: Flow) -> Iterator[Route]:
    """All routes that lead to a flow's destination, the best first."""
    for rule in host.fibs[6].choosing(flow):
        if rule.action != "lookup":
            return
        yield from (r for r in host.fibs[6].tables.get(rule.table, ()) if r.covers(flow.dst) and r.type == "unicast")


def by_way(route: Route, hop: Hop) -> Route:
    """The route by one of its ways."""
    return replace(route, dev=hop.dev, via=hop.via, hop_family=hop.family)


def in_table(host: Host, table: int, dst: int, oif: str, strict: bool) -> Route | None:
    """The best route of one table, or None."""
    routes = [r for r in host.fibs[6].tables.get(table, ()) if r.covers(dst)]
    if table == LOCAL:
        routes += _unwritten(host, dst)
        routes.sort(key=lambda r: (-r.plen, r.metric))
    for _, same in groupby(routes, key=lambda r: r.plen):
        found = _among(same, oif, strict)
        if found is not None:
            return found
    return None


def _among(routes: Iterable[Route], oif: str, strict: bool) -> Route | None:
    """One of the routes of a prefix (rt6_select): the lowest metric, there one by the wanted interface."""
    for _, same in groupby(routes, key=lambda r: r.metric):
        fit = [r for r in same if not oif or r.leaves_by(oif) or not strict]
        if fit:
            return next((r for r in fit if not oif or r.leaves_by(oif)), fit[0])
    return None


def _unwritten(host: Host, dst: int) -> list[Route]:
    """What each interface adds to the local table: the multicast prefix, and in a router its subnets' anycasts."""
    out = []
    for interface in host.interfaces.values():
        if not interface.up or interface.kind == "loopback":
            continue
        if dst >> 120 == 0xFF:
            out.append(Route(6, 0xFF << 120, 8, interface.name, table=LOCAL, type="multicast", metric=256))
        elif anycast(host, dst, interface.name):
            out.append(Route(6, dst, 128, interface.name, table=LOCAL, type="anycast"))
    return out


def is_anycast(route: Route, dst: int) -> bool:
    """Whether the destination is a subnet router's address, here or on a link (ipv6_anycast_destination)."""
    on_link = route.type == "unicast" and route.via is None and route.plen < 127
    return route.type == "anycast" or (on_link and route.dst == dst)
