"""What a host has learnt of single destinations from ICMP: path MTUs and better gateways
(kernel: ipv4/route.c fib_nh_exception, ipv6/route.c rt6_exception)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iptables_emu.host.fib import Route

if TYPE_CHECKING:
    from iptables_emu.host.host import Host

SECOND = 1_000_000_000
REDIRECT_SECONDS = 300  # ip_rt_gc_timeout
LARGEST_MTU = 65535
MINIMUM_MTU6 = 1280
LOCKED_MTU = 576

Key = tuple[object, ...]


@dataclass(slots=True)
class _Learnt:
    """``expires`` 0: not by itself."""

    mtu: int = 0
    locked: bool = False
    gateway: int | None = None
    expires: int = 0


class Exceptions:
    """The exceptions of one host, by the way they belong to and the destination."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._known: dict[Key, _Learnt] = {}
        self.clock: Callable[[], int] = lambda: 0  # virtual time, nanoseconds

    def of(self, route: Route, dst: int) -> Route:
        """The route as what was learnt changes it for a destination."""
        if route.under is not None:
            return route
        key = _key(route, dst)
        found = self._known.get(key)
        if found is None:
            return route
        if found.expires and self.clock() > found.expires:
            del self._known[key]
            return route
        changed = route
        if found.gateway is not None:
            on_link = route.family == 6 and found.gateway == dst
            changed = replace(changed, via=None if on_link else found.gateway, hop_family=route.family)
        if found.mtu:
            changed = replace(changed, pmtu=found.mtu, mtu_locked=route.mtu_locked or found.locked)
        return replace(changed, under=route)

    def mtu(self, route: Route | None, dev: str, *, forwarding: bool = False) -> int:
        """The largest packet on a route (dst_mtu, ip_dst_mtu_maybe_forward, ip6_dst_mtu_maybe_forward)."""
        interface = self._host.interfaces.get(dev)
        link = interface.mtu if interface else 1500
        if route is None:
            return min(link, LARGEST_MTU)
        if route.family == 6:
            return self._mtu6(route, dev, link, forwarding)
        believed = not forwarding or route.mtu_locked or self._host.sysctls.get("net.ipv4.ip_forward_use_pmtu")
        if route.pmtu and believed:
            return route.pmtu
        if route.mtu:
            return min(route.mtu, LARGEST_MTU)
        if route.mtu_locked and route.via is not None:
            link = min(link, LOCKED_MTU)
        return min(link, LARGEST_MTU)

    def _mtu6(self, route: Route, dev: str, link: int, forwarding: bool) -> int:
        if not forwarding or route.mtu_locked:
            given = route.pmtu or route.mtu
            if given:
                return given
        return self._host.sysctls.values.get(f"net.ipv6.conf.{dev}.mtu") or link

    # -- learning --------------------------------------------------------------------------------

    def too_big4(self, route: Route, dst: int, mtu: int) -> None:
        """A packet to a destination was too long for someone on its way (__ip_rt_update_pmtu)."""
        before = self.mtu(route, route.dev)
        if route.mtu_locked or before < mtu:
            return
        get = self._host.sysctls.get
        least = get("net.ipv4.route.min_pmtu")
        locked = mtu < least
        if locked:
            mtu = min(before, least)
        expires = self.clock() + get("net.ipv4.route.mtu_expires") * SECOND
        for way in self._ways(route):
            self._learn(way, dst, expires, mtu=mtu, locked=locked)

    def too_big6(self, route: Route, dst: int, mtu: int) -> None:
        """The same for IPv6, where a lock keeps nothing out (__ip6_rt_update_pmtu)."""
        if mtu < MINIMUM_MTU6 or mtu >= self.mtu(route, route.dev):
            return
        expires = self.clock() + self._host.sysctls.get("net.ipv6.route.mtu_expires") * SECOND
        self._learn(route, dst, expires, mtu=mtu)

    def redirected(self, route: Route, dst: int, gateway: int) -> None:
        """A better first hop for a destination."""
        expires = self.clock() + REDIRECT_SECONDS * SECOND if route.family == 4 else 0
        self._learn(route, dst, expires, gateway=gateway)

    @staticmethod
    def _ways(route: Route) -> list[Route]:
        route = route.under or route
        if not route.hops:
            return [route]
        return [replace(route, dev=hop.dev, via=hop.via, hop_family=hop.family) for hop in route.hops]

    def _learn(
        self, route: Route, dst: int, expires: int, *, mtu: int = 0, locked: bool = False, gateway: int | None = None
    ) -> None:
        entry = self._known.setdefault(_key(route.under or route, dst), _Learnt())
        if mtu:
            entry.mtu, entry.locked = mtu, locked
        if gateway is not None:
            entry.gateway = gateway
        entry.expires = expires


def _key(route: Route, dst: int) -> Key:
    """Of IPv4 routes that lead the same way share what was learnt (fib_find_info)."""
    prefix = (route.dst, route.plen) if route.family == 6 else ()
    way = route.dev, route.via
    return (route.family, route.table, route.type, route.metric, route.src, route.mtu, way, prefix, dst)
