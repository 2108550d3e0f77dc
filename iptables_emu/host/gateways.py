"""Whether a route's gateway is on a link (kernel: fib_check_nh, ip6_validate_gw)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.host import fib6
from iptables_emu.host.fib import ERRORS, MAIN, Fib, Flow, Route
from iptables_emu.model.address import show

if TYPE_CHECKING:
    from iptables_emu.host.host import Host


class GatewayError(ValueError):
    """A gateway that the kernel refuses; the text says why."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One way's gateway. ``dev`` "": by whichever link leads there; ``table`` is the route's own."""

    family: int
    address: int
    dev: str
    table: int
    onlink: bool = False

    def error(self, why: str) -> GatewayError:
        return GatewayError(f"{show(self.address, self.family)} {why}")

    @property
    def not_on_link(self) -> GatewayError:
        return self.error(f"is on no link of {self.dev}" if self.dev else "is on no link: say dev")


def device_to(host: Host, gateway: Gateway) -> str:
    """The interface that leads to a gateway. Raises GatewayError."""
    return _device4(host, gateway) if gateway.family == 4 else _device6(host, gateway)


def _device4(host: Host, gateway: Gateway) -> str:
    if gateway.onlink and gateway.dev:
        if host.addr_type(gateway.address, 4) != "UNICAST":
            raise gateway.error("is no address of another machine")
        return gateway.dev
    route = next(_leading4(host, gateway), None)
    if route is None or route.type not in ("unicast", "local"):
        raise gateway.not_on_link
    return route.dev


def _leading4(host: Host, gateway: Gateway) -> Iterator[Route]:
    """The routes of links that lead to a gateway: in a table of the route's own, then as the rules say."""
    fib = host.fibs[4]
    for table in (*([gateway.table] if gateway.table != MAIN else []), *_looked_up(fib, gateway)):
        for route in fib.tables.get(table, ()):
            if route.type in ERRORS or route.type == "throw" or not route.covers(gateway.address):
                continue
            interface = host.interfaces.get(route.dev)
            if route.via is None and not route.hops and gateway.dev in ("", route.dev) and interface and interface.up:
                yield route


def _looked_up(fib: Fib, gateway: Gateway) -> Iterator[int]:
    for rule in fib.choosing(Flow(gateway.address, oif=gateway.dev)):
        if rule.action != "lookup":
            return
        yield rule.table


def _device6(host: Host, gateway: Gateway) -> str:
    value = gateway.address
    link_local = value >> 118 == 0xFE80 >> 6
    if any(a.family == 6 and a.value == value for i in host.interfaces.values() for a in i.addresses
           if not link_local or i.name == gateway.dev):  # fmt: skip
        raise gateway.error("is an address of this host")
    if value >> 120 == 0xFF or value in (0, 1):
        raise gateway.error("is no address of another machine")
    if link_local and not gateway.dev:
        raise gateway.error("is of a link: say dev")
    if gateway.dev and (link_local or gateway.onlink):
        return gateway.dev
    for route in (
        fib6.in_table(host, gateway.table, value, gateway.dev, strict=True),
        fib6.lookup(host, value, oif=gateway.dev, strict=True).route,
    ):
        if route is not None and route.type not in ERRORS and route.type != "throw":
            for hop in route.ways:
                if hop.via is None and gateway.dev in ("", hop.dev):
                    return hop.dev
    raise gateway.not_on_link
