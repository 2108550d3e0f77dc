"""Tables, chains and rules: plain data, without a word of syntax.

A table is replaced as a whole when a change is committed (:meth:`Ruleset.put`), so a failed change leaves
the old one as it was.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from iptables_emu.model.rule import Rule

BUILTIN: dict[str, tuple[str, ...]] = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
NFT_ORDER = ("mangle", "security", "raw", "filter", "nat")


class Chain:
    """``policy`` is None for a user chain. ``hooked``: the base chain exists in the kernel (iptables-nft
    makes only the chains that were named). ``counts``: its policy has counters (iptables-nft gives a base chain some
    only together with a policy, or by -Z).

    The rules of a stored chain are read when somebody asks for them (``load``), and once for all copies.
    """

    __slots__ = ("_load", "_rules", "bytes", "counts", "hooked", "name", "packets", "policy", "policy_set", "shared")

    def __init__(
        self, name: str, policy: str | None = None, hooked: bool = True, load: Callable[[], list[Rule]] | None = None
    ) -> None:
        self.name, self.policy, self.hooked = name, policy, hooked
        self.packets = self.bytes = 0
        self.counts = hooked
        self.policy_set = False  # the counters were given since the last commit
        self._load, self._rules = load, list[Rule]()
        self.shared = load is not None  # the rules list belongs to an older copy too

    @property
    def rules(self) -> list[Rule]:
        if self._load is not None:
            self._rules, self._load = self._load(), None
        return self._rules

    @rules.setter
    def rules(self, rules: list[Rule]) -> None:
        self._rules, self._load = rules, None

    def same_rules(self, other: Chain) -> bool:
        """Whether both have one and the same list, which need not be read for that."""
        if self._load is not None and self._load is other._load:
            return True
        return self.rules is other.rules

    def copy(self) -> Chain:
        other = Chain(self.name, self.policy, self.hooked, self._load)
        other.packets, other.bytes, other.counts = self.packets, self.bytes, self.counts
        other._rules, other.shared = self._rules, True
        self.shared = True
        return other

    def own(self) -> list[Rule]:
        """The rules list for a change: copied first when another copy of the chain shares it."""
        if self.shared:
            self.rules, self.shared = list(self.rules), False
        return self._rules


class Table:
    """One table of one family. ``chains`` holds the base chains in hook order, then the user chains."""

    __slots__ = ("chains", "family", "name")

    def __init__(self, family: int, name: str, hooked: bool) -> None:
        self.family, self.name = family, name
        self.chains: dict[str, Chain] = {c: Chain(c, "ACCEPT", hooked) for c in BUILTIN[name]}

    def copy(self) -> Table:
        other = Table.__new__(Table)
        other.family, other.name = self.family, self.name
        other.chains = {name: chain.copy() for name, chain in self.chains.items()}
        return other

    @property
    def builtin(self) -> tuple[str, ...]:
        return BUILTIN[self.name]

    def user_chains(self) -> list[Chain]:
        """The user chains, sorted bytewise as iptables lists them."""
        return sorted(
            (c for c in self.chains.values() if c.policy is None),
            key=lambda c: c.name if c.name.isascii() else c.name.encode("utf-8", "surrogateescape").decode("latin-1"),
        )

    def listed(self) -> list[Chain]:
        """All chains in the order of a listing."""
        return [self.chains[name] for name in self.builtin] + self.user_chains()

    def references(self) -> dict[str, int]:
        """How many rules jump or go to each user chain."""
        count: dict[str, int] = {}
        for chain in self.chains.values():
            for rule in chain.rules:
                spec = rule.spec
                if spec.target is None and spec.jump in self.chains:
                    count[spec.jump] = count.get(spec.jump, 0) + 1
        return count

    def rename(self, old: str, new: str) -> None:
        """Rename a user chain and every jump to it."""
        self.chains = {(new if name == old else name): chain for name, chain in self.chains.items()}
        self.chains[new].name = new
        for chain in self.chains.values():
            if any(r.spec.target is None and r.spec.jump == old for r in chain.rules):
                rules = chain.own()
                for i, r in enumerate(rules):
                    if r.spec.target is None and r.spec.jump == old:
                        rules[i] = Rule(r.spec._replace(jump=new), r.packets, r.bytes)


@dataclass(frozen=True, slots=True)
class Objects:
    """What rules may name besides ipsets; None: whatever they name is there."""

    accounts: frozenset[str] | None = frozenset()
    cgroups: frozenset[str] | None = frozenset()


class Ruleset:
    """All tables of both families, in the order in which they were first used.

    ``personality`` is "nft" or "legacy": it decides table order and which base chains exist. ``shared`` is the state
    that compiled rules name (recent lists ...): it lasts as long as theirs.
    """

    def __init__(self, personality: str = "nft") -> None:
        self.personality = personality
        self.release = "1.8.11"
        self.objects = Objects()
        self.tables: dict[tuple[int, str], Table] = {}
        self.shared: dict[tuple[str, str], Any] = {}

    def unused(self) -> Ruleset:
        """A copy whose rules remember no packets; their counters stay."""
        other = copy.deepcopy(self)
        other.shared = {}
        return other

    def new_table(self, family: int, name: str) -> Table:
        """An empty table, not yet part of the ruleset."""
        return Table(family, name, hooked=self.personality == "legacy")

    def get(self, family: int, name: str) -> Table | None:
        return self.tables.get((family, name))

    def working_copy(self, family: int, name: str) -> Table:
        """A copy of the table (or a new one) to change and then :meth:`put`."""
        table = self.get(family, name)
        return table.copy() if table else self.new_table(family, name)

    def put(self, table: Table) -> None:
        """The table takes the place of the old one at once."""
        self.tables[table.family, table.name] = table

    def ordered(self, family: int) -> list[Table]:
        """The tables that exist, in iptables-save's order."""
        mine = [t for (f, _), t in self.tables.items() if f == family]
        if self.personality == "nft":
            return sorted(mine, key=lambda t: NFT_ORDER.index(t.name))
        return mine[::-1]

    def rules(self, family: int) -> Iterator[tuple[Table, Chain, int, Rule]]:
        """Every rule with its place (the index counts from 1)."""
        for table in self.ordered(family):
            for chain in table.listed():
                for index, rule in enumerate(chain.rules, 1):
                    yield table, chain, index, rule

    @classmethod
    def loads(
        cls, text: str, family: int = 4, personality: str = "nft", *, counters: bool = False, assume_sets: bool = False
    ) -> Ruleset:
        """The ruleset of an iptables-save dump. Raises LoadError of ``text.load``.

        ``assume_sets``: the ipsets that rules name exist; otherwise such a dump is refused.
        """
        from iptables_emu.text.load import load_dump

        return load_dump(text, family, personality, counters=counters, assume_sets=assume_sets)

    def dumps(self, family: int = 4, *, counters: bool = False) -> str:
        """The text of iptables-save, without its comment lines."""
        from iptables_emu.text.save import save_ruleset

        return save_ruleset(self, family, counters=counters)
