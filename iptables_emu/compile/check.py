"""What the kernel checks before it takes a table: loops, and each extension's table, hooks and protocol.

Kernel: ip_tables.c (mark_source_chains, check_entry_size_and_hooks), x_tables.c (xt_check_match,
xt_check_target), nf_tables_api.c (nft_table_validate).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from iptables_emu.ext.api import Base, Extension, Place
from iptables_emu.model.rule import VERDICTS, Rule, RuleSpec
from iptables_emu.model.ruleset import Chain, Objects, Table
from iptables_emu.options.memo import memo

NOWHERE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that the kernel refuses: its chain, its index from 1, the errno's name."""

    chain: str
    index: int
    errno: str


@dataclass(frozen=True, slots=True)
class Reach:
    """The hooks from which each chain can be reached, and how many of its rules the kernel walks."""

    hooks: dict[str, frozenset[str]]
    walked: dict[str, int]


class Loop(Exception):
    """Chains jump in a circle; ``chain`` is where the circle closes."""

    def __init__(self, chain: str) -> None:
        super().__init__(chain)
        self.chain = chain


def unconditional(spec: RuleSpec) -> bool:
    """A verdict without any condition: ip_tables walks no rule behind it."""
    return spec.jump in VERDICTS and not spec.matches and spec.target is None and not any(spec[1:16])


def reached_from(table: Table, personality: str) -> Reach:
    """Where each chain can be reached from. Raises Loop."""
    chains = table.chains
    walked: dict[str, int] = {}
    targets: dict[str, list[str]] = {}
    for name, chain in chains.items():
        rules = chain.rules
        if personality == "legacy":
            end = next((i for i, rule in enumerate(rules) if unconditional(rule.spec)), len(rules))
            rules = rules if end == len(rules) else rules[:end]
            walked[name] = end + 1  # that verdict is still looked at
        jumps = [jump for rule in rules if (jump := rule.spec.jump) in chains and rule.spec.target is None]
        targets[name] = list(dict.fromkeys(jumps))
    hooks: dict[str, set[str]] = {}
    for base in table.builtin:
        for name in _walk(base, targets):
            hooks.setdefault(name, set()).add(base)
    return Reach({name: frozenset(found) for name, found in hooks.items()}, walked)


def _walk(start: str, targets: dict[str, list[str]]) -> set[str]:
    """All chains reached from one, depth first. Raises Loop."""
    done: set[str] = set()
    path: list[tuple[str, Iterator[str]]] = [(start, iter(targets[start]))]
    on_path = {start}
    while path:
        name, rest = path[-1]
        following = next(rest, None)
        if following is None:
            path.pop()
            on_path.discard(name)
            done.add(name)
        elif following in on_path:
            raise Loop(name)
        elif following not in done:
            on_path.add(following)
            path.append((following, iter(targets[following])))
    return done


class Kernel:
    """The kernel's look at one table. ``others`` are the tables that it has already: the estimators of their RATEEST
    targets are known. ``order`` are the new rules as it gets them (all of the table, chain by chain, unless given).
    """

    def __init__(
        self, table: Table, personality: str, reach: Reach, others: Iterable[Table] = (),
        objects: Objects | None = None, order: Iterable[Rule] | None = None,
    ) -> None:  # fmt: skip
        self.table, self.personality, self.reach, self.others = table, personality, reach, others
        self.objects, self.order = objects or Objects(), order

    def estimators(self, before: Rule) -> dict[str, tuple[int, int]]:
        """Interval and weight of each estimator that is there when the kernel looks at a rule."""
        own = self.order if self.order is not None else _rules(self.table)
        earlier = itertools.takewhile(lambda rule: rule is not before, own)
        there = itertools.chain(*map(_rules, self.others), earlier)
        targets = (rule.spec.target for rule in there)
        found: dict[str, tuple[int, int]] = {}
        for target in targets:
            if target is not None and target.NAME == "RATEEST":
                name, *params = dataclasses.astuple(target)  # type: ignore[call-overload]  # a dataclass as all are
                found.setdefault(name, tuple(params))
        return found

    def refusals(self) -> Iterator[Refusal]:
        """Every rule that the kernel would refuse, in the order of the chains."""
        for chain in self.table.chains.values():
            if chain.rules:
                yield from self.chain(chain)

    def chain(self, chain: Chain) -> Iterator[Refusal]:
        """The refused rules of one chain; those that the kernel does not walk stand in no hook."""
        hooks = self.reach.hooks.get(chain.name, NOWHERE)
        walked = self.reach.walked.get(chain.name, len(chain.rules))
        for index, rule in enumerate(chain.rules, 1):
            if index > walked:
                hooks = NOWHERE
            # nf_tables shows an extension no hook in a chain that has none, and compares table and hooks later
            shown = NOWHERE if self.personality == "nft" and chain.policy is None else hooks
            spec = rule.spec
            for match in spec.matches:
                if not _always_taken(type(match)) and (errno := self.refused(match, rule, hooks, shown)):
                    yield Refusal(chain.name, index, errno)
                    break
            else:
                target = spec.target
                if target is None or _always_taken(type(target)):
                    continue
                if errno := self.refused(target, rule, hooks, shown):
                    yield Refusal(chain.name, index, errno)

    def refused(self, x: Extension, rule: Rule, hooks: frozenset[str], shown: frozenset[str]) -> str | None:
        """The errno's name with which the kernel refuses an extension of a rule, or None.

        ``shown`` are the hooks that its own check sees (xt_mtchk_param.hook_mask).
        """
        spec = rule.spec
        if self.personality == "nft" and x.is_native():
            return None
        if x.TABLES is not None and self.table.name not in x.TABLES:
            return "EINVAL"
        if x.HOOKS is not None and not hooks <= x.HOOKS:
            return "EINVAL"
        if x.PROTOCOLS is not None and (spec.not_proto or spec.proto not in x.PROTOCOLS):
            return "EINVAL"
        if type(x).refused is Extension.refused:
            return None
        base = Base(spec.family, spec.proto, spec.not_proto, self.personality)
        known = self.estimators(rule) if x.NAME.lower() == "rateest" else None
        place = Place(self.table.family, self.table.name, shown, base, self.personality, spec.matches, known,
                      self.objects.accounts, self.objects.cgroups)  # fmt: skip
        return x.refused(place)


def _rules(table: Table) -> Iterator[Rule]:
    return (rule for chain in table.chains.values() for rule in chain.rules)


def needs_check(spec: RuleSpec, table: Table) -> bool:
    """Whether a new rule gives the kernel anything to look at."""
    if spec.target is not None:
        if not _always_taken(type(spec.target)):
            return True
    elif spec.jump in table.chains:
        return True
    return any(not _always_taken(type(match)) for match in spec.matches)


@memo()
def _always_taken(cls: type[Extension]) -> bool:
    """An extension without any condition of the kernel."""
    free = cls.TABLES is None and cls.HOOKS is None and cls.PROTOCOLS is None
    return free and cls.refused is Extension.refused
