"""The operations of libiptc and iptables-nft on one table. Each raises OperationError when it fails."""

from __future__ import annotations

from iptables_emu.model.rule import VERDICTS, Rule, RuleSpec
from iptables_emu.model.ruleset import Chain, Table
from iptables_emu.text.strerror import OperationError


def chain_of(table: Table, name: str | None, operation: str) -> Chain:
    """An existing chain; a base chain that iptables-nft has not yet made is none."""
    chain = table.chains.get(name or "")
    if chain is None or not chain.hooked:
        raise OperationError("ENOENT", operation)
    return chain


def append(table: Table, name: str, rule: Rule) -> None:
    chain_of(table, name, "append_entry").own().append(rule)


def insert(table: Table, name: str, rule: Rule, number: int) -> None:
    """``number`` counts from 1 and may be one past the last."""
    chain = chain_of(table, name, "insert_entry")
    if number > len(chain.rules) + 1:
        raise OperationError("E2BIG", "insert_entry")
    chain.own().insert(number - 1, rule)


def replace(table: Table, name: str, rule: Rule, number: int) -> None:
    chain = chain_of(table, name, "replace_entry")
    if number > len(chain.rules):
        raise OperationError("E2BIG", "replace_entry")
    chain.own()[number - 1] = rule


def find(chain: Chain, spec: RuleSpec) -> int | None:
    """The index (from 0) of the first equal rule."""
    wanted = spec.comparable()
    return next((i for i, rule in enumerate(chain.rules) if rule.spec.comparable() == wanted), None)


def miss(spec: RuleSpec, operation: str, personality: str) -> OperationError:
    """No such rule. libiptc forgets the operation once it has looked up a name that is no verdict."""
    told = not spec.jump or spec.verdict or personality == "nft"
    return OperationError("ENOENT", operation if told else "")


def delete(table: Table, name: str, spec: RuleSpec, personality: str) -> None:
    chain = chain_of(table, name, "delete_entry")
    at = find(chain, spec)
    if at is None:
        raise miss(spec, "delete_entry", personality)
    del chain.own()[at]


def delete_number(table: Table, name: str, number: int) -> None:
    chain = chain_of(table, name, "delete_num_entry" if name in table.chains else "")
    if number > len(chain.rules):
        raise OperationError("E2BIG", "delete_num_entry")
    del chain.own()[number - 1]


def check(table: Table, name: str, spec: RuleSpec, personality: str) -> None:
    chain = chain_of(table, name, "check_entry")
    if find(chain, spec) is None:
        raise miss(spec, "check_entry", personality)


def flush(table: Table, chain: Chain) -> None:
    chain.rules, chain.shared = [], False


def zero(chain: Chain, pending: frozenset[Rule] = frozenset(), *, keep_policy: bool = False) -> None:
    """Counters of a chain's policy and rules to 0, but those that were given since the last commit.

    Source: libiptc zeroes only what is mapped to the kernel's counters (COUNTER_MAP_NORMAL_MAP).
    """
    if not keep_policy:
        chain.packets = chain.bytes = 0
        chain.counts = True
    if any(r.packets or r.bytes for r in chain.rules):
        chain.rules = [r if r in pending else _zeroed(r) for r in chain.rules]
        chain.shared = False


def zero_number(
    table: Table, name: str, number: int, personality: str, pending: frozenset[Rule] = frozenset()
) -> None:
    """iptables-nft looks for the rule as for a deletion."""
    missing, beyond = ("zero_counter", "E2BIG") if personality == "legacy" else ("delete_entry", "ENOENT")
    chain = chain_of(table, name, missing)
    if number > len(chain.rules):
        raise OperationError(beyond, missing)
    if chain.rules[number - 1] not in pending:
        chain.own()[number - 1] = _zeroed(chain.rules[number - 1])


def _zeroed(rule: Rule) -> Rule:
    fresh = Rule(rule.spec)
    fresh.program = rule.program
    return fresh


def create_chain(table: Table, name: str) -> None:
    if name in table.chains or name in VERDICTS:
        raise OperationError("EEXIST", "create_chain")
    table.chains[name] = Chain(name)


def delete_chain(table: Table, name: str, references: dict[str, int]) -> None:
    """A user chain that is empty and not referred to (libiptc's checks)."""
    chain = chain_of(table, name, "delete_chain")
    if chain.policy is not None:
        raise OperationError("EINVAL")
    if references.get(name):
        raise OperationError("EMLINK")
    if chain.rules:
        raise OperationError("ENOTEMPTY")
    del table.chains[name]


def rename_chain(table: Table, old: str, new: str) -> None:
    if new in table.chains or new in VERDICTS:
        raise OperationError("EEXIST", "rename_chain")
    chain = chain_of(table, old, "rename_chain")
    if chain.policy is not None:
        raise OperationError("ENOENT")
    table.rename(old, new)


def set_policy(table: Table, name: str, policy: str, counters: tuple[int, int] | None) -> None:
    """The policy of a base chain, with its counters (none given: they start at 0)."""
    chain = table.chains.get(name)
    if chain is None or chain.policy is None:
        raise OperationError("ENOENT", "set_policy")
    if policy not in ("ACCEPT", "DROP"):
        raise OperationError("EINVAL", "set_policy")
    chain.policy = policy
    chain.packets, chain.bytes = counters or (0, 0)
    chain.policy_set = chain.counts = True
