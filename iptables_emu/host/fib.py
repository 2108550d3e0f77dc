"""Routes, rules and the look-up of both families (kernel: fib_trie.c, fib_rules.c, ip6_fib.c)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from iptables_emu.model.address import BITS, prefix_mask

LOCAL, MAIN, DEFAULT = 255, 254, 253
OLD_TOS, DSCP = 0x1C, 0xFC  # the bits of the TOS that IPv4 and IPv6 choose routes by (INET_DSCP_LEGACY_TOS_MASK)
TABLES = {"local": LOCAL, "main": MAIN, "default": DEFAULT}
# route types that end a look-up with an errno name
RULE_ERRORS = {"unreachable": "ENETUNREACH", "prohibit": "EACCES", "blackhole": "EINVAL"}
ERRORS = {"unreachable": "EHOSTUNREACH", "prohibit": "EACCES", "blackhole": "EINVAL"}


@dataclass(frozen=True, slots=True)
class Hop:
    """One of several ways of a route; ``family`` is the gateway's."""

    dev: str
    via: int | None = None
    weight: int = 1
    family: int = 4


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``dev`` is "" for unreachable and its like; ``src`` the preferred source.

    ``hops``: the ways of a multipath route, of which ``dev`` and ``via`` are the first until one is chosen.
    ``hop_family``: of the gateway, where an IPv4 route has one of IPv6. ``mtu`` 0: the link's.
    """

    family: int
    dst: int
    plen: int
    dev: str = ""
    via: int | None = None
    src: int | None = None
    table: int = MAIN
    type: str = "unicast"  # unicast local broadcast multicast anycast unreachable prohibit blackhole throw
    metric: int = 0
    hops: tuple[Hop, ...] = ()
    hop_family: int = 0
    mtu: int = 0
    mtu_locked: bool = False
    tos: int = 0
    choice: str = ""  # which of the hops was chosen, in words
    pmtu: int = 0  # learnt from ICMP, 0: nothing was
    under: Route | None = None  # the route itself, where this is what ICMP has made of it
    realm: int = 0  # the source's realm << 16 | the destination's

    @property
    def gateway4(self) -> int | None:
        """The gateway where it is one of IPv4 (rt_nexthop): IPv4's errors and sources know no other."""
        return self.via if self.hop_family in (0, 4) else None

    @property
    def gateway_word(self) -> int:
        """What a source address is chosen by (fib_info_update_nhc_saddr): of an IPv6 gateway the first 32 bits."""
        return (self.via or 0) >> 96 if self.hop_family == 6 else self.via or 0

    @property
    def ways(self) -> tuple[Hop, ...]:
        """All its ways, be it one."""
        return self.hops or (Hop(self.dev, self.via, family=self.hop_family or self.family),)

    def leaves_by(self, dev: str) -> bool:
        """Whether one of its ways is that interface (fib_info_nh_uses_dev)."""
        return any(hop.dev == dev for hop in self.ways)

    def covers(self, address: int) -> bool:
        return (address ^ self.dst) & prefix_mask(self.plen, self.family) == 0


@dataclass(frozen=True, slots=True)
class Flow:
    """What a look-up asks with (struct flowi). ``uid``: of the sending socket; what came in is root's."""

    dst: int
    src: int = 0
    mark: int = 0
    iif: str = ""
    oif: str = ""
    tos: int = 0
    proto: int = 0
    sport: int = 0
    dport: int = 0
    uid: int = 0


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """``ip rule``: selectors, then a table or an action."""

    priority: int
    table: int = MAIN
    mark: tuple[int, int] | None = None  # value, mask
    src: tuple[int, int] | None = None  # address, prefix length
    dst: tuple[int, int] | None = None
    iif: str = ""
    oif: str = ""
    tos: int = 0  # 0: any
    action: str = "lookup"  # lookup unreachable prohibit blackhole goto nop
    inverted: bool = False
    proto: int = 0
    sport: tuple[int, int] | None = None  # first, last
    dport: tuple[int, int] | None = None
    uids: tuple[int, int] | None = None
    suppress: int = -1  # a route of so short a prefix does not count (suppress_prefixlength)
    suppress_group: int = -1  # nor one that leaves by an interface of this group
    target: int = 0  # the preference that goto leads to
    realm: int = 0

    @property
    def reads_ports(self) -> bool:
        """Whether a packet that comes in has to be taken apart for it (fib4_rules_early_flow_dissect)."""
        return bool(self.proto or self.sport or self.dport)

    def selects(self, family: int, flow: Flow) -> bool:
        good = not (
            (self.mark is not None and flow.mark & self.mark[1] != self.mark[0])
            or (self.src is not None and (flow.src ^ self.src[0]) & prefix_mask(self.src[1], family))
            or (self.dst is not None and (flow.dst ^ self.dst[0]) & prefix_mask(self.dst[1], family))
            or (self.iif and flow.iif != self.iif)
            or (self.oif and flow.oif != self.oif)
            or (self.tos and flow.tos & (OLD_TOS if family == 4 else DSCP) != self.tos)
            or (self.proto and flow.proto != self.proto)
            or not _within(flow.sport, self.sport)
            or not _within(flow.dport, self.dport)
            or not _within(flow.uid, self.uids)
        )
        return good is not self.inverted


def _within(value: int, ends: tuple[int, int] | None) -> bool:
    return ends is None or ends[0] <= value <= ends[1]


@dataclass(frozen=True, slots=True)
class Found:
    """A look-up's result: the route, or an errno's name (ENETUNREACH when nothing fits)."""

    route: Route | None
    error: str = ""
    rule_realm: int = 0  # of the rule that led here

    @property
    def type(self) -> str:
        return self.route.type if self.route else ""


class Links(Protocol):
    """What routes ask about interfaces."""

    def group_of(self, dev: str) -> int:
        """The group of an interface, 0 where there is none."""

    def usable(self, dev: str, family: int) -> bool:
        """Whether routes by the interface count."""


class Fib:
    """All routes and rules of one family."""

    def __init__(self, family: int, links: Links) -> None:
        self.family, self.links = family, links
        self.tables: dict[int, list[Route]] = {LOCAL: [], MAIN: [], DEFAULT: []}
        self.rules: list[PolicyRule] = [PolicyRule(0, LOCAL), PolicyRule(32766, MAIN)]
        if family == 4:
            self.rules.append(PolicyRule(32767, DEFAULT))

    @property
    def custom_rules(self) -> bool:
        return any(r.priority not in (0, 32766, 32767) for r in self.rules)

    @property
    def has_realms(self) -> bool:
        """Whether a route has a realm, or a rule (fib_num_tclassid_users)."""
        return any(r.realm for r in self.rules) or any(r.realm for r in self.all())

    def add(self, route: Route) -> None:
        """Insert a route; longer prefixes and lower metrics come first."""
        table = self.tables.setdefault(route.table, [])
        table.append(route)
        table.sort(key=lambda r: (-r.plen, -r.tos, r.metric))

    def remove(self, gone: Iterator[Route]) -> None:
        dead = set(gone)
        for number, routes in self.tables.items():
            self.tables[number] = [r for r in routes if r not in dead]

    def add_rule(self, rule: PolicyRule) -> None:
        self.rules.append(rule)
        self.rules.sort(key=lambda r: r.priority)

    def free_priority(self) -> int:
        """The preference that ``ip rule add`` takes: one below the first rule after local's."""
        return min(r.priority for r in self.rules if r.priority > 0) - 1

    @property
    def reads_ports(self) -> bool:
        return any(r.reads_ports for r in self.rules)

    def choosing(self, flow: Flow) -> Iterator[PolicyRule]:
        """The rules that select a flow, in their order; goto leads on (fib_rules_lookup)."""
        least = 0
        for rule in self.rules:
            if rule.priority < least or not rule.selects(self.family, flow):
                continue
            if rule.action == "goto":
                if any(other.priority == rule.target for other in self.rules):
                    least = rule.target
            elif rule.action != "nop":
                yield rule

    def lookup(self, dst: int, *, src: int = 0, mark: int = 0, iif: str = "", oif: str = "", tos: int = 0) -> Found:
        """The best route. ``oif`` restricts the nexthops' device."""
        return self.find(Flow(dst, src, mark, iif, oif, tos))

    def find(self, flow: Flow) -> Found:
        """The best route of a flow; which way of several it takes is still open."""
        for rule in self.choosing(flow):
            if rule.action != "lookup":
                return Found(None, RULE_ERRORS[rule.action])
            route = self._in_table(rule.table, flow.dst, flow.oif, flow.tos)
            if route is None or route.type == "throw":
                continue
            if route.type in ERRORS:
                return Found(route, ERRORS[route.type])
            if route.plen <= rule.suppress or self.in_group(route, rule.suppress_group):
                continue
            return Found(route, "", rule.realm)
        return Found(None, "ENETUNREACH")

    def in_group(self, route: Route, group: int) -> bool:
        """Whether a route's interface is of the group that a rule does not want."""
        return group >= 0 and self.links.group_of(route.dev) == group

    def _in_table(self, table: int, dst: int, oif: str, tos: int = 0) -> Route | None:
        for route in self.tables.get(table, ()):
            if not route.covers(dst) or (route.tos and route.tos != tos & OLD_TOS):
                continue
            if not route.hops:
                if not oif or route.dev in ("", oif):
                    return route
                continue
            usable = [hop for hop in route.hops if self.links.usable(hop.dev, self.family) and oif in ("", hop.dev)]
            if usable:
                first = usable[0]  # a wanted interface leaves no choice
                return replace(route, dev=first.dev, via=first.via, hop_family=first.family,
                               hops=() if oif else route.hops)  # fmt: skip
        return None

    def all(self) -> Iterator[Route]:
        for routes in self.tables.values():
            yield from routes


def realms(text: str) -> int:
    """``TO`` or ``FROM/TO``, numbers, as a route keeps them. Raises ValueError."""
    source, slash, destination = text.rpartition("/")
    numbers = [int(part, 0) for part in ((source, destination) if slash else ("0", destination))]
    if any(not 0 <= number < 256 for number in numbers):
        raise ValueError(f"{text} is no realm")
    return numbers[0] << 16 | numbers[1]


def full(family: int) -> int:
    """Prefix length of a single host."""
    return BITS[family]
