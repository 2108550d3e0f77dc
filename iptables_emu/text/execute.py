"""Carry out parsed commands on a table, as each personality does it.

Legacy (libiptc) applies a command at once to its copy of the table and the kernel judges the whole table
at the commit. iptables-nft queues commands and works on them at the commit, where the kernel judges the
new rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from iptables_emu.compile.check import Loop, reached_from, refusals
from iptables_emu.model.rule import VERDICTS, Rule, RuleSpec
from iptables_emu.model.ruleset import Chain, Ruleset, Table
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.text import operations as op
from iptables_emu.text.command import Command
from iptables_emu.text.errors import ResourceProblem
from iptables_emu.text.listing import Format, list_table, verbose_line
from iptables_emu.text.save import list_rules
from iptables_emu.text.strerror import STRERROR, OperationError


@dataclass(slots=True)
class Output:
    """What the program prints."""

    stdout: list[str] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)


def check_strict(spec: RuleSpec, table: str, strict: bool, personality: str) -> None:
    """With ``--strict`` what today's iptables has no more is refused in its words."""
    if strict and personality == "nft" and spec.verdict == "QUEUE":
        raise ParameterProblem("Chain 'QUEUE' does not exist")


# -- legacy --------------------------------------------------------------------------------------


def apply_legacy(table: Table, command: Command, out: Output) -> None:
    """One command on the working copy. Raises ParameterProblem, OperationError."""
    out.stderr += command.warnings
    letters = command.commands
    if letters & set("ADCIR") and not command.by_number:
        _rule_command(table, command, out, "legacy")
    elif command.by_number:
        op.delete_number(table, command.chain or "", command.rulenum)
    else:
        _chain_command(table, command, out, "legacy")


def _resolve(table: Table, command: Command, out: Output, personality: str) -> list[RuleSpec]:
    """The command's rules, their jump looked up. Raises ParameterProblem, OperationError."""
    spec, jump = command.spec, command.jump
    if spec.target is not None and jump in table.chains and personality == "legacy":
        from dataclasses import replace

        out.stderr.append(f"Warning: using chain {jump}, not extension\n")
        command.spec = spec = replace(spec, target=None)
    if spec.target is None and jump not in table.chains and not (jump in VERDICTS and not spec.goto) and jump:
        if personality == "nft":
            raise ParameterProblem(f"Chain '{jump}' does not exist")
        if spec.goto:
            raise ParameterProblem(f"goto '{jump}' is not a chain")
        raise ParameterProblem(f"Couldn't load target `{jump}':No such file or directory\n")
    return command.specs()


def _rule_command(table: Table, command: Command, out: Output, personality: str) -> None:
    specs = _resolve(table, command, out, personality)
    name, letter = command.chain or "", next(iter(command.commands))
    to_builtin = specs[0].target is None and specs[0].jump in table.builtin
    if letter == "R":
        specs = specs[:1]
    told: list[OperationError] = []
    for spec in specs:
        if command.verbose and personality == "legacy":
            out.stdout.append(verbose_line(spec, personality))
        try:
            _one_rule(table, command, letter, name, spec, to_builtin, personality)
        except OperationError as error:
            if personality == "nft":
                raise
            told.append(error)  # libiptc goes on with the other addresses and fails in the end
        else:
            if command.verbose and personality == "nft":
                out.stdout.append(verbose_line(spec, personality))
    if told:
        raise told[-1]


def _one_rule(
    table: Table, command: Command, letter: str, name: str, spec: RuleSpec, to_builtin: bool, personality: str
) -> None:
    rule = Rule(spec, *(command.counters or (0, 0)))
    if letter == "A":
        op.chain_of(table, name, "append_entry")
    if to_builtin and personality == "legacy":
        op.chain_of(table, name, {"D": "delete_entry", "C": "check_entry"}.get(letter, ""))
        raise OperationError("EINVAL")
    if letter == "A":
        op.append(table, name, rule)
    elif letter == "I":
        op.insert(table, name, rule, command.rulenum)
    elif letter == "R":
        op.replace(table, name, rule, command.rulenum)
    elif letter == "D":
        op.delete(table, name, spec, personality)
    else:
        op.check(table, name, spec, personality)


def _chain_command(table: Table, command: Command, out: Output, personality: str) -> None:
    letters, name = command.commands, command.chain
    if letters & set("LS"):
        _list(table, command, out, personality)
    if "Z" in letters:
        _zero(table, command, out, personality)
    elif "F" in letters:
        for chain in _selected(table, name, "flush_entries"):
            if command.verbose:
                out.stdout.append(f"Flushing chain `{chain.name}'\n")
            op.flush(table, chain)
    elif "N" in letters:
        op.create_chain(table, name or "")
    elif "X" in letters:
        (_delete_chains if personality == "legacy" else _delete_chains_nft)(table, command, out)
    elif "E" in letters:
        op.rename_chain(table, name or "", command.newname)
    elif "P" in letters:
        counters = command.counters if personality == "legacy" else (0, 0)
        op.set_policy(table, name or "", command.policy or "", counters)
        if personality == "nft":
            _hook(table, name)


def _selected(table: Table, name: str | None, operation: str) -> list[Chain]:
    return table.listed() if name is None else [op.chain_of(table, name, operation)]


def _list(table: Table, command: Command, out: Output, personality: str) -> None:
    chains = _selected(table, command.chain, "")
    if "S" in command.commands:
        out.stdout.append(list_rules(table, chains, command.rulenum, command.verbose > 0, personality))
        return
    fmt = Format(command.numeric, command.verbose > 0, command.exact, command.line_numbers, personality)
    out.stdout.append(list_table(table, chains, command.rulenum, fmt))


def _zero(table: Table, command: Command, out: Output, personality: str) -> None:
    if command.zero_one:
        op.zero_number(table, command.chain or "", command.rulenum, personality)
        return
    for chain in _selected(table, command.chain, "zero_entries"):
        if command.verbose:
            out.stdout.append(f"Zeroing chain `{chain.name}'\n")
        op.zero(chain)


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


def apply_nft(table: Table, command: Command, out: Output) -> None:
    """One queued command at the commit. Raises ParameterProblem, OperationError."""
    out.stderr += command.warnings
    letters = command.commands
    if letters & set("AI") or letters & set("F") and command.chain:
        _hook(table, command.chain)
    if letters & set("ADCIR") and not command.by_number:
        _rule_command(table, command, out, "nft")
    elif command.by_number:
        op.delete_number(table, command.chain or "", command.rulenum)
    else:
        _chain_command(table, command, out, "nft")


def _hook(table: Table, name: str | None) -> None:
    """The base chain that a command names comes to be (nft_xt_builtin_init)."""
    chain = table.chains.get(name or "")
    if chain is not None:
        chain.hooked = True


def _delete_chains_nft(table: Table, command: Command, out: Output) -> None:
    """-X: the kernel refuses chains that are in use, all or nothing."""
    name = command.chain
    chosen = table.user_chains() if name is None else [op.chain_of(table, name, "chain_del")]
    for chain in chosen:
        if command.verbose and chain.policy is None:
            out.stdout.append(f"Deleting chain `{chain.name}'\n")
    if name is not None and chosen[0].policy is not None:
        if chosen[0].rules or chosen[0].policy != "ACCEPT":
            raise OperationError("EBUSY", "chain_del")
        chosen[0].hooked = False
        return
    if name is None:
        for base in table.builtin:
            chain = table.chains[base]
            if not chain.rules and chain.policy == "ACCEPT":
                chain.hooked = False
    gone = {c.name for c in chosen}
    busy = {r.spec.jump for c in table.chains.values() if c.name not in gone for r in c.rules if r.spec.target is None}
    # a chain is deleted with its rules only when it is flushed first, so jumps among the chosen count too
    busy |= {r.spec.jump for c in chosen for r in c.rules if r.spec.target is None}
    for chain in chosen:
        if chain.name in busy or chain.rules:
            raise ResourceProblem(f" CHAIN_DEL failed ({STRERROR['EBUSY']}): chain {chain.name}")
    for chain in chosen:
        del table.chains[chain.name]


# -- the kernel's judgement ------------------------------------------------------------------------


def commit(ruleset: Ruleset, table: Table, lines: dict[int, tuple[int, str]] | None = None, was: Table | None = None) -> None:
    """Give the table to the kernel. ``lines`` (nft): id(rule) -> (line, verb) of the batch's rules.

    Raises OperationError (legacy) or ResourceProblem (nft) and leaves the old table as it was.
    """
    try:
        hooks = reached_from(table)
    except Loop as loop:
        if ruleset.personality == "legacy":
            raise OperationError("ELOOP") from None
        raise ResourceProblem(_nft_failure(table, lines or {}, loop.chain, "EMLINK")) from None
    if ruleset.personality == "legacy":
        first = next(refusals(table, "legacy", hooks), None)
        if first is not None:
            raise OperationError(first.errno)
    else:
        told = []
        for refusal in refusals(table, "nft", hooks):
            rule = table.chains[refusal.chain].rules[refusal.index - 1]
            if lines is not None and id(rule) in lines:
                told.append(_refused_line(*lines[id(rule)], refusal.errno, refusal.chain))
        if told:
            raise ResourceProblem("".join(told))
    ruleset.put(table)


def _refused_line(line: int, verb: str, errno: str, chain: str) -> str:
    where = f"\nline {line}: " if line else " "
    return f"{where}{verb} failed ({STRERROR.get(errno, errno)}): rule in chain {chain}"


def _nft_failure(table: Table, lines: dict[int, tuple[int, str]], chain: str, errno: str) -> str:
    """The last rule of the batch in that chain is told as the culprit."""
    for rule in reversed(table.chains[chain].rules):
        if id(rule) in lines:
            return _refused_line(*lines[id(rule)], errno, chain)
    return _refused_line(0, "RULE_APPEND", errno, chain)
