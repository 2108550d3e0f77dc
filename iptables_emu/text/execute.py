"""Carry out parsed commands on a table, as each personality does it.

Legacy (libiptc) applies a command at once to its copy of the table and the kernel judges the whole table
at the commit. iptables-nft queues commands and works on them at the commit, where the kernel judges the
new rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from iptables_emu.compile.check import Kernel, Loop, needs_check, reached_from
from iptables_emu.model.rule import VERDICTS, Rule, RuleSpec
from iptables_emu.model.ruleset import Chain, Ruleset, Table
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.text import operations as op
from iptables_emu.text.command import Command
from iptables_emu.text.errors import ResourceProblem
from iptables_emu.text.listing import Format, list_table, verbose_line
from iptables_emu.text.save import list_rules, remarks
from iptables_emu.text.strerror import STRERROR, OperationError

VERBS = {"I": "RULE_INSERT", "R": "RULE_REPLACE"}


@dataclass(slots=True)
class Output:
    """What the program prints."""

    stdout: list[str] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)


# what iptables-nft sends to the kernel: new rule -> (input line or 0, what is done with it)
Batch = dict[Rule, tuple[int, str]]


# -- legacy --------------------------------------------------------------------------------------


def apply_legacy(table: Table, command: Command, out: Output, committed: Table | None = None) -> None:
    """One command on the working copy; ``committed`` is the kernel's table where other commands went before.

    Raises ParameterProblem, OperationError, Exit.
    """
    if command.on_rule:
        _resolve_legacy(table, command, out)
        _rule_command(table, command, out)
    elif command.by_number:
        op.delete_number(table, command.chain or "", command.rulenum)
    else:
        pending = frozenset[Rule]()
        if committed is not None and command.commands & set("SZ"):
            pending = _pending(table, committed)
        _chain_command(table, command, out, "legacy", pending=pending)


def _pending(table: Table, committed: Table) -> frozenset[Rule]:
    """The rules that no commit has seen yet (a Rule is equal to itself only)."""
    known = {rule for chain in committed.chains.values() for rule in chain.rules}
    return frozenset(rule for chain in table.chains.values() for rule in chain.rules if rule not in known)


def _resolve_legacy(table: Table, command: Command, out: Output) -> None:
    """Look up the jump. Raises ParameterProblem."""
    spec, jump = command.spec, command.jump
    if not jump or (jump in VERDICTS and not spec.goto):
        return
    if jump in table.chains:
        if spec.target is not None:
            out.stderr.append(f"Warning: using chain {jump}, not extension\n")
            command.spec = spec._replace(target=None)
    elif spec.target is None:
        if spec.goto:
            raise ParameterProblem(f"goto '{jump}' is not a chain")
        raise ParameterProblem(f"Couldn't load target `{jump}':No such file or directory\n")


def _rule_command(table: Table, command: Command, out: Output) -> None:
    specs, (letter,) = command.specs(), command.commands
    told: OperationError | None = None
    for spec in specs[:1] if letter == "R" else specs:
        if command.verbose:
            out.stdout.append(verbose_line(spec, "legacy"))
        try:
            _legacy_rule(table, command, letter, spec)
        except OperationError as error:
            told = error  # libiptc goes on with the other addresses and fails in the end
    if told:
        raise told


def _legacy_rule(table: Table, command: Command, letter: str, spec: RuleSpec) -> None:
    name = command.chain or ""
    if spec.target is None and spec.jump in table.builtin:
        op.chain_of(table, name, _OPERATION[letter])
        raise OperationError("EINVAL")
    _one_rule(table, command, letter, spec, "legacy")


_OPERATION = {"A": "append_entry", "I": "", "R": "", "D": "delete_entry", "C": "check_entry"}


def _one_rule(table: Table, command: Command, letter: str, spec: RuleSpec, personality: str) -> Rule | None:
    """Carry out one of the rules of a command; the new rule, if it brings one."""
    name = command.chain or ""
    if letter == "D":
        op.delete(table, name, spec, personality)
        return None
    if letter == "C":
        op.check(table, name, spec, personality)
        return None
    rule = Rule(spec, *command.counters) if command.counters else Rule(spec)
    if letter == "A":
        op.append(table, name, rule)
    elif letter == "I":
        op.insert(table, name, rule, command.rulenum)
    else:
        op.replace(table, name, rule, command.rulenum)
    return rule


def _chain_command(
    table: Table, command: Command, out: Output, personality: str, pending: frozenset[Rule] = frozenset()
) -> None:
    letters, name = command.commands, command.chain
    if letters & set("LS"):
        _list(table, command, out, personality, pending)
    if "Z" in letters:
        _zero(table, command, out, personality, pending)
    elif "F" in letters:
        for chain in _selected(table, name, "flush_entries"):
            if command.verbose:
                out.stdout.append(f"Flushing chain `{chain.name}'\n")
            op.flush(table, chain)
    elif "N" in letters:
        op.create_chain(table, name or "")
    elif "X" in letters:
        _delete_chains(table, command, out)
    elif "E" in letters:
        op.rename_chain(table, name or "", command.newname)
    elif "P" in letters:
        counters = command.counters if personality == "legacy" else (0, 0)
        if personality == "nft" and command.policy not in ("ACCEPT", "DROP"):
            raise OperationError("EINVAL", "set_policy")  # looked at before the chain
        op.set_policy(table, name or "", command.policy or "", counters)
        if personality == "nft":
            _hook(table, name)


def _selected(table: Table, name: str | None, operation: str) -> list[Chain]:
    if name is None:
        return table.listed()
    chain = table.chains.get(name)
    if chain is None:
        raise OperationError("ENOENT", operation)
    return [chain]


def _list(table: Table, command: Command, out: Output, personality: str, pending: frozenset[Rule]) -> None:
    chains = _selected(table, command.chain, "")
    out.stderr += remarks(chains, command.rulenum)
    if "S" in command.commands:
        out.stdout += list_rules(table, chains, command.rulenum, command.verbose > 0, personality, pending)
        return
    fmt = Format(command.numeric, command.verbose > 0, command.exact, command.line_numbers, personality)
    out.stdout.append(list_table(table, chains, command.rulenum, fmt))


def _zero(table: Table, command: Command, out: Output, personality: str, pending: frozenset[Rule]) -> None:
    if command.zero_one:
        op.zero_number(table, command.chain or "", command.rulenum, personality, pending)
        return
    for chain in _selected(table, command.chain, "zero_entries"):
        if command.verbose:
            out.stdout.append(f"Zeroing chain `{chain.name}'\n")
        op.zero(chain, pending, keep_policy=personality == "legacy" and chain.policy_set)


def _delete_chains(table: Table, command: Command, out: Output) -> None:
    """-X as libiptc does it: one by one, going on after a failure."""
    references = table.references()
    names = [c.name for c in table.user_chains()] if command.chain is None else [command.chain]
    told: OperationError | None = None
    for name in names:
        if command.verbose:
            out.stdout.append(f"Deleting chain `{name}'\n")
        try:
            op.delete_chain(table, name, references)
        except OperationError as error:
            told = error
    if told:
        raise told


# -- nft -----------------------------------------------------------------------------------------


def apply_nft(table: Table, command: Command, out: Output, batch: Batch, line: int = 0) -> None:
    """One queued command at the commit. Raises ParameterProblem, OperationError."""
    if command.on_rule:
        _rule_command_nft(table, command, out, batch, line)
    elif command.by_number:
        op.delete_number(table, command.chain or "", command.rulenum)
    elif "X" in command.commands:
        _delete_chains_nft(table, command, out, batch, line)
    else:
        if "F" in command.commands and (command.chain or command.verbose):
            _hook(table, command.chain)
        _chain_command(table, command, out, "nft")


def _rule_command_nft(table: Table, command: Command, out: Output, batch: Batch, line: int) -> None:
    spec = command.spec
    jump = spec.jump
    if jump not in table.chains and jump and spec.target is None and (spec.goto or jump not in VERDICTS):
        raise ParameterProblem(f"Chain '{jump}' does not exist")
    (letter,) = command.commands
    if letter in "AI":
        chain = table.chains.get(command.chain or "")
        if chain is not None:
            chain.hooked = True
    specs = command.specs()
    for spec in specs[:1] if letter == "R" else specs:
        if letter in "AIR" and spec.proto > 0xFF:
            spec = spec._replace(proto=spec.proto & 0xFF)  # nf_tables compares the one byte of the header
        rule = _one_rule(table, command, letter, spec, "nft")
        if command.verbose:
            out.stdout.append(verbose_line(spec, "nft"))
        if rule is not None:
            batch[rule] = (line, VERBS.get(letter, "RULE_APPEND"))


def _hook(table: Table, name: str | None) -> None:
    """The base chain that a command names, or all of them, come to be (nft_xt_builtin_init)."""
    for each in table.builtin if name is None else (name,):
        if each in table.chains:
            table.chains[each].hooked = True


def _delete_chains_nft(table: Table, command: Command, out: Output, batch: Batch, line: int) -> None:
    """-X: the kernel refuses chains that are in use, all or nothing.

    iptables-nft itself refuses a base chain whose policy it has changed, or with rules that it has just made.
    """
    name = command.chain
    if name is not None:
        chosen = [op.chain_of(table, name, "chain_del")]
    else:
        chosen = table.user_chains() if command.verbose else [c for c in table.chains.values() if c.policy is None]
    if name is not None and chosen[0].policy is not None:
        if chosen[0].policy != "ACCEPT" or any(rule in batch for rule in chosen[0].rules):
            raise OperationError("EBUSY", "chain_del")
        if chosen[0].rules:
            raise _busy(name, line)
        chosen[0].hooked = False
        return
    if command.verbose:
        out.stdout += [f"Deleting chain `{chain.name}'\n" for chain in chosen]
    busy = {r.spec.jump for c in table.chains.values() for r in c.rules if r.spec.target is None}
    for chain in chosen:
        if chain.name in busy or chain.rules:
            raise _busy(chain.name, line)
    for chain in chosen:
        del table.chains[chain.name]
    if name is None:
        for base in table.builtin:
            chain = table.chains[base]
            if not chain.rules and chain.policy == "ACCEPT":
                chain.hooked = False


# -- the kernel's judgement ------------------------------------------------------------------------


def commit_legacy(ruleset: Ruleset, table: Table) -> None:
    """Give the table to the kernel. Raises OperationError and leaves the old one as it was."""
    try:
        reach = reached_from(table, "legacy")
    except Loop:
        raise OperationError("ELOOP") from None
    for refusal in Kernel(table, "legacy", reach, ruleset.tables.values(), ruleset.objects).refusals():
        raise OperationError(refusal.errno)
    for name in table.builtin:
        chain = table.chains[name]
        if ruleset.release == "1.8.9" and not chain.policy_set:
            chain.packets = chain.bytes = 0  # that libiptc carries over the counters of rules, not of policies
        chain.policy_set = False
    ruleset.put(table)


def commit_nft(ruleset: Ruleset, table: Table, batch: Batch, strict: bool = False) -> None:
    """Give the batch to the kernel. Raises ResourceProblem and leaves the old table as it was.

    With ``strict`` it knows no QUEUE, as the kernel does not when iptables-nft asks for it.
    """
    bad = (*table.builtin, "QUEUE") if strict else table.builtin
    told = [_refused_line(rule, batch, *_bad_rule(table, rule)) for rule in batch if _is_bad(rule.spec, bad)]
    if not told and any(needs_check(rule.spec, table) for rule in batch):
        try:
            reach = reached_from(table, "nft")
            kernel = Kernel(table, "nft", reach, ruleset.tables.values(), ruleset.objects, batch)
            told = _judged(kernel, batch)
        except Loop as loop:
            culprits = [rule for rule in table.chains[loop.chain].rules if rule in batch] or list(batch)
            told = [_refused_line(culprits[-1], batch, "EMLINK", loop.chain)] if culprits else []
    if told:
        raise ResourceProblem("".join(told if told[0].startswith("\n") else told[:1]))
    ruleset.put(table)


def _is_bad(spec: RuleSpec, jumps: Sequence[str]) -> bool:
    return _none_but_every(spec) or (spec.jump in jumps and spec.target is None)


def _none_but_every(spec: RuleSpec) -> bool:
    """``! -s 0/0``: iptables-nft asks for a comparison of no bytes, which nf_tables refuses."""
    return (spec.not_src and not spec.src_mask) or (spec.not_dst and not spec.dst_mask)


def _bad_rule(table: Table, rule: Rule) -> tuple[str, str]:
    """(errno, the rule's chain) of a rule that nf_tables refuses; a jump to a base chain or to QUEUE among them."""
    where = next(c.name for c in table.chains.values() if rule in c.rules)
    if _none_but_every(rule.spec):
        return "EINVAL", where
    chain = table.chains.get(rule.spec.jump)
    return "EOPNOTSUPP" if chain is not None and chain.hooked else "ENOENT", where


def _judged(kernel: Kernel, batch: Batch) -> list[str]:
    """What is told of refused rules; a new jump is to blame for an old rule that now stands in a wrong hook."""
    told, blamed, table = [], "", kernel.table
    for refusal in kernel.refusals():
        rule = table.chains[refusal.chain].rules[refusal.index - 1]
        if rule in batch:
            told.append(_refused_line(rule, batch, refusal.errno, refusal.chain))
        else:
            blamed = blamed or refusal.errno
    if blamed and not told:
        for chain in table.chains.values():
            for rule in chain.rules:
                if rule in batch and rule.spec.chain:
                    return [_refused_line(rule, batch, blamed, chain.name)]
    return told


def _busy(chain: str, line: int) -> ResourceProblem:
    return ResourceProblem(f"{_where(line)}CHAIN_DEL failed ({STRERROR['EBUSY']}): chain {chain}")


def _where(line: int) -> str:
    return f"\nline {line}: " if line else " "


def _refused_line(rule: Rule, batch: Batch, errno: str, chain: str) -> str:
    line, verb = batch[rule]
    return f"{_where(line)}{verb} failed ({STRERROR.get(errno, errno)}): rule in chain {chain}"
