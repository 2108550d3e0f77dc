"""What the kernel checks before it takes a table: loops, and each extension's table, hooks and protocol.

Kernel: ip_tables.c (mark_source_chains, check_entry_size_and_hooks), x_tables.c (xt_check_match,
xt_check_target), nf_tables_api.c (nft_table_validate).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from iptables_emu.ext.api import Base, Extension, Place
from iptables_emu.model.rule import VERDICTS, Rule, RuleSpec
from iptables_emu.model.ruleset import Chain, Table

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
        targets[name] = list(dict.fromkeys([j for r in rules if (j := r.spec.jump) in chains and r.spec.target is None]))
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


def refusals(table: Table, personality: str, reach: Reach) -> Iterator[Refusal]:
    """Every rule that the kernel would refuse, in the order of the chains."""
    for chain in table.chains.values():
        if chain.rules:
            hooks = reach.hooks.get(chain.name, NOWHERE)
            yield from chain_refusals(table, chain, personality, hooks, reach.walked.get(chain.name))


def chain_refusals(
    table: Table, chain: Chain, personality: str, hooks: frozenset[str], walked: int | None
) -> Iterator[Refusal]:
    """The refused rules of one chain; those behind the first ``walked`` stand in no hook."""
    known: dict[tuple[int, int, bool], str | None] = {}
    for index, rule in enumerate(chain.rules, 1):
        if walked is not None and index > walked:
            hooks, walked = NOWHERE, None
            known.clear()
        for extension in _extensions(rule):
            if _always_taken(type(extension)):
                continue
            spec = rule.spec
            key = (id(extension), spec.proto, spec.not_proto)
            if key not in known:
                known[key] = _refused(extension, spec, table, personality, hooks)
            errno = known[key]
            if errno is not None:
                yield Refusal(chain.name, index, errno)
                break


def _extensions(rule: Rule) -> tuple[Extension, ...]:
    spec = rule.spec
    return spec.matches if spec.target is None else (*spec.matches, spec.target)


@cache
def _always_taken(cls: type[Extension]) -> bool:
    """An extension without any condition of the kernel."""
    return cls.TABLES is cls.HOOKS is cls.PROTOCOLS is None and cls.refused is Extension.refused


def rule_refused(spec: RuleSpec, table: Table, personality: str, hooks: frozenset[str]) -> str | None:
    """The errno's name with which the kernel refuses a rule, or None."""
    return next((e for x in _extensions(Rule(spec)) if (e := _refused(x, spec, table, personality, hooks))), None)


@lru_cache(maxsize=1024)
def _place(family: int, table: str, hooks: frozenset[str], proto: int, inverted: bool, personality: str) -> Place:
    return Place(family, table, hooks, Base(family, proto, inverted, personality), personality)


def _refused(x: Extension, spec: RuleSpec, table: Table, personality: str, hooks: frozenset[str]) -> str | None:
    if x.TABLES is not None and table.name not in x.TABLES:
        return "EINVAL"
    if x.HOOKS is not None and not hooks <= x.HOOKS:
        return "EINVAL"
    if x.PROTOCOLS is not None and (spec.not_proto or spec.proto not in x.PROTOCOLS):
        return "EINVAL"
    return x.refused(_place(table.family, table.name, hooks, spec.proto, spec.not_proto, personality))
