"""Routes and rules from the words of ``ip route`` and ``ip rule``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from iptables_emu.host.fib import TABLES, Hop, PolicyRule, Route, realms
from iptables_emu.host.gateways import Gateway, GatewayError
from iptables_emu.model.address import network, prefix_mask

METRIC6: Final = 1024
ACTIONS: Final = ("unreachable", "prohibit", "blackhole", "nop")
PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "sctp": 132}


class WordError(ValueError):
    """A word that is not understood."""


class WayError(ValueError):
    """A gateway that is refused; ``way`` says which of the route's (0 where there is one)."""

    def __init__(self, text: str, way: int) -> None:
        super().__init__(text)
        self.way = way


def table_number(text: object) -> int:
    """A table's number, by its name if it has one."""
    return TABLES[str(text)] if str(text) in TABLES else int(str(text))


def family_of_route(given: Mapping[str, Any]) -> int:
    """4 or 6; "default" has the family of its gateway."""
    if given["dst"] != "default":
        return network(str(given["dst"]))[0]
    ways = [given, *given.get("nexthops", ())]
    return 6 if any(":" in str(way.get("via", "")) for way in ways) else 4


def route(given: Mapping[str, Any], device_to: Callable[[Gateway], str]) -> Route:
    """A route in the scenario's words. ``device_to`` gives the interface that leads to a gateway.

    Raises WayError for a gateway that it refuses.
    """
    family = family_of_route(given)
    value, plen = (0, 0) if given["dst"] == "default" else network(str(given["dst"]))[1:]
    kind = str(given.get("type") or "unicast")
    table = table_number(given.get("table", "local" if kind in ("local", "broadcast") else "main"))
    ways = given.get("nexthops")
    hops = tuple(_hop(way, family, table, device_to, at) for at, way in enumerate(ways or (given,)))
    first = hops[0]
    return Route(
        family, value & prefix_mask(plen, family), plen, first.dev, first.via,
        network(str(given["src"]))[1] if "src" in given else None,
        table, kind, int(given.get("metric", METRIC6 if family == 6 else 0)), hops if len(hops) > 1 else (),
        first.family, int(given.get("mtu", 0)), bool(given.get("mtu_lock")), int(str(given.get("tos", 0)), 0),
        realm=realms(str(given["realm"])) if "realm" in given else 0,
    )  # fmt: skip


def _hop(way: Mapping[str, Any], family: int, table: int, device_to: Callable[[Gateway], str], at: int) -> Hop:
    dev, weight = str(way.get("dev", "")), int(way.get("weight", 1))
    via_family, via, _ = network(str(way["via"])) if "via" in way else (family, None, 0)
    if via is None or (via_family, via) == (4, 0):  # to the kernel 0.0.0.0 is none
        return Hop(dev, None, weight, family)
    try:
        return Hop(device_to(Gateway(via_family, via, dev, table, bool(way.get("onlink")))), via, weight, via_family)
    except GatewayError as error:
        raise WayError(str(error), at) from None


def rule(text: str, family: int = 4) -> tuple[int, dict[str, Any]]:
    """(family, fields of a `PolicyRule`) of ``ip rule add``'s words; ``-6`` first makes it a rule of IPv6.

    Raises WordError.
    """
    words = text.split()
    values: dict[str, Any] = {}
    if words[:1] in (["-6"], ["-4"]):
        family = int(words.pop(0)[1:])
    while words:
        word = words.pop(0)
        if word in ACTIONS:
            values["action"] = word
        elif word == "not":
            values["inverted"] = True
        elif word not in SELECTORS or not words:
            raise WordError(f"rule {text!r}: {word!r} is not understood")
        else:
            argument = words.pop(0)
            if word in ("from", "to") and argument not in ("all", "any", "default"):
                family = network(argument)[0]
            values.update(SELECTORS[word](argument))
    return family, values


def _mark(text: str) -> dict[str, Any]:
    mark, _, mask = text.partition("/")
    return {"mark": (int(mark, 0), int(mask, 0) if mask else 0xFFFFFFFF)}


def _end(key: str) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        return {} if text in ("all", "any", "default") else {key: network(text)[1:]}

    return read


def _range(key: str) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        low, _, high = text.partition("-")
        return {key: (int(low), int(high or low))}

    return read


def _number(key: str) -> Callable[[str], dict[str, Any]]:
    return lambda text: {key: int(text, 0)}


def _tos(text: str) -> dict[str, Any]:
    return {"tos": int(text, 16)}  # with or without 0x


def _goto(text: str) -> dict[str, Any]:
    return {"action": "goto", "target": int(text)}


def _lookup(text: str) -> dict[str, Any]:
    return {"table": table_number(text)}


def protocol_number(text: str) -> int:
    """A protocol by name or number."""
    return PROTOCOLS[text] if text in PROTOCOLS else int(text)


def _protocol(text: str) -> dict[str, Any]:
    return {"proto": protocol_number(text)}


SELECTORS: Final[Mapping[str, Callable[[str], dict[str, Any]]]] = {
    "fwmark": _mark,
    "from": _end("src"),
    "to": _end("dst"),
    "lookup": _lookup,
    "table": _lookup,
    "iif": lambda text: {"iif": text},
    "oif": lambda text: {"oif": text},
    "tos": _tos,
    "dsfield": _tos,
    "pref": _number("priority"),
    "priority": _number("priority"),
    "preference": _number("priority"),
    "ipproto": _protocol,
    "realm": lambda text: {"realm": realms(text)},
    "realms": lambda text: {"realm": realms(text)},
    "sport": _range("sport"),
    "dport": _range("dport"),
    "uidrange": _range("uids"),
    "suppress_prefixlength": _number("suppress"),
    "suppress_ifgroup": _number("suppress_group"),
    "goto": _goto,
}


def complete(values: Mapping[str, Any], free_priority: int) -> PolicyRule:
    """The rule, with the preference it takes if it was given none."""
    return PolicyRule(**{"priority": free_priority, **values})
