"""Routes, rules and the look-up of both families (kernel: fib_trie.c, fib_rules.c, ip6_fib.c)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iptables_emu.model.address import BITS, prefix_mask

LOCAL, MAIN, DEFAULT = 255, 254, 253
TABLES = {"local": LOCAL, "main": MAIN, "default": DEFAULT}
# route types that end a look-up with an errno name
RULE_ERRORS = {"unreachable": "ENETUNREACH", "prohibit": "EACCES", "blackhole": "EINVAL"}
ERRORS = {"unreachable": "EHOSTUNREACH", "prohibit": "EACCES", "blackhole": "EINVAL"}


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``dev`` is "" for unreachable and its like; ``src`` the preferred source."""

    family: int
    dst: int
    plen: int
    dev: str = ""
    via: int | None = None
    src: int | None = None
    table: int = MAIN
    type: str = "unicast"  # unicast local broadcast multicast anycast unreachable prohibit blackhole throw
    metric: int = 0
    weight: int = 1
    realm: int = 0  # the source's realm << 16 | the destination's

    def covers(self, address: int) -> bool:
        return (address ^ self.dst) & prefix_mask(self.plen, self.family) == 0


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
    tos: int | None = None
    action: str = "lookup"  # lookup unreachable prohibit blackhole
    inverted: bool = False
    realm: int = 0

    def selects(self, family: int, src: int, dst: int, mark: int, iif: str, oif: str, tos: int) -> bool:
        good = not (
            (self.mark is not None and mark & self.mark[1] != self.mark[0])
            or (self.src is not None and (src ^ self.src[0]) & prefix_mask(self.src[1], family))
            or (self.dst is not None and (dst ^ self.dst[0]) & prefix_mask(self.dst[1], family))
            or (self.iif and iif != self.iif)
            or (self.oif and oif != self.oif)
            or (self.tos is not None and tos & 0xFC != self.tos)
        )
        return good is not self.inverted


@dataclass(frozen=True, slots=True)
class Found:
    """A look-up's result: the route, or an errno's name (ENETUNREACH when nothing fits)."""

    route: Route | None
    error: str = ""
    rule_realm: int = 0  # of the rule that led here

    @property
    def type(self) -> str:
        return self.route.type if self.route else ""


class Fib:
    """All routes and rules of one family."""

    def __init__(self, family: int) -> None:
        self.family = family
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
        table.sort(key=lambda r: (-r.plen, r.metric))

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

    def lookup(self, dst: int, *, src: int = 0, mark: int = 0, iif: str = "", oif: str = "", tos: int = 0) -> Found:
        """The best route. ``oif`` restricts the nexthops' device."""
        for rule in self.rules:
            if not rule.selects(self.family, src, dst, mark, iif, oif, tos):
                continue
            if rule.action != "lookup":
                return Found(None, RULE_ERRORS[rule.action])
            route = self._in_table(rule.table, dst, oif)
            if route is None or route.type == "throw":
                continue
            if route.type in ERRORS:
                return Found(route, ERRORS[route.type])
            return Found(route, "", rule.realm)
        return Found(None, "ENETUNREACH")

    def _in_table(self, table: int, dst: int, oif: str) -> Route | None:
        for route in self.tables.get(table, ()):
            if route.covers(dst) and (not oif or not route.dev or route.dev == oif or route.type == "local"):
                return route
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
