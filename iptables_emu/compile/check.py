"""What the kernel checks before it takes a table: loops, and each extension's table, hooks and protocol.

Kernel: ip_tables.c (mark_source_chains, check_entry_size_and_hooks), x_tables.c (xt_check_match,
xt_check_target), nf_tables_api.c (nft_table_validate).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iptables_emu.ext.api import Base, Extension, Place
from iptables_emu.model.rule import RuleSpec
from iptables_emu.model.ruleset import Chain, Table


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that the kernel refuses: its chain, its index from 1, the errno's name."""

    chain: str
    index: int
    errno: str


class Loop(Exception):
    """Chains jump in a circle; ``chain`` is where the circle closes."""

    def __init__(self, chain: str) -> None:
        super().__init__(chain)
        self.chain = chain


def reached_from(table: Table) -> dict[str, frozenset[str]]:
    """The hooks from which each chain can be reached. Raises Loop."""
    targets = {
        name: list(dict.fromkeys(r.spec.jump for r in chain.rules if r.spec.target is None and r.spec.jump in table.chains))
        for name, chain in table.chains.items()
    }
    hooks: dict[str, set[str]] = {name: set() for name in table.chains}
    for base in table.builtin:
        for name in _walk(base, targets):
            hooks[name].add(base)
    return {name: frozenset(found) for name, found in hooks.items()}


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


def refusals(table: Table, personality: str, hooks: dict[str, frozenset[str]]) -> Iterator[Refusal]:
    """Every rule that the kernel would refuse, in the order of the chains."""
    for chain in table.chains.values():
        yield from chain_refusals(table, chain, personality, hooks[chain.name])


def chain_refusals(table: Table, chain: Chain, personality: str, hooks: frozenset[str]) -> Iterator[Refusal]:
    """The refused rules of one chain."""
    for index, rule in enumerate(chain.rules, 1):
        spec = rule.spec
        if spec.matches or spec.target is not None:
            errno = rule_refused(spec, table, personality, hooks)
            if errno is not None:
                yield Refusal(chain.name, index, errno)


def rule_refused(spec: RuleSpec, table: Table, personality: str, hooks: frozenset[str]) -> str | None:
    """The errno's name with which the kernel refuses a rule, or None."""
    base = Base(spec.family, spec.proto, spec.not_proto, personality)
    place = Place(table.family, table.name, hooks, base, personality, spec.matches)
    extensions: tuple[Extension, ...] = spec.matches if spec.target is None else (*spec.matches, spec.target)
    for extension in extensions:
        if extension.TABLES is not None and table.name not in extension.TABLES:
            return "EINVAL"
        if extension.HOOKS is not None and not hooks <= extension.HOOKS:
            return "EINVAL"
        if extension.PROTOCOLS is not None and (spec.not_proto or spec.proto not in extension.PROTOCOLS):
            return "EINVAL"
        errno = extension.refused(place)
        if errno is not None:
            return errno
    return None
