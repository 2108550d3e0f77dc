"""iptables-restore: the line loop of both personalities (iptables-restore.c, xtables-restore.c)."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from iptables_emu.model.ruleset import BUILTIN, Chain, Ruleset, Table
from iptables_emu.options.numbers import U64
from iptables_emu.options.problem import IptablesError, ParameterProblem
from iptables_emu.options.types import blen, cut
from iptables_emu.text import operations as op
from iptables_emu.text.argv import Parser
from iptables_emu.text.command import EXTENSION_NAME_MAX, Command
from iptables_emu.text.errors import Exit, OtherProblem, TryHelp, report, try_help
from iptables_emu.text.execute import Batch, Output, apply_legacy, apply_nft, commit_legacy, commit_nft
from iptables_emu.text.lexer import MOST_WORDS, words
from iptables_emu.text.strerror import OperationError
from iptables_emu.text.words import check_chain_name, scan_counter

BUFFER = 10240  # bytes of fgets' buffer: a longer line arrives in pieces


@dataclass(slots=True)
class Options:
    """The options of iptables-restore; ``table`` is -T, ``wait`` the seconds of -w (-1: for ever)."""

    counters: bool = False
    noflush: bool = False
    test: bool = False
    verbose: int = 0
    table: str | None = None
    wait: int = 0


class _Queued(NamedTuple):
    """One step of an nft batch with its input line: ``what`` is flush, chain, policy or a command."""

    line: int
    what: str
    name: str = ""
    policy: str = ""
    counters: tuple[int, int] | None = None
    command: Command | None = None


def pieces(text: str) -> Iterator[str]:
    """The input as fgets gives it: lines, cut at 10,239 bytes, each ending before a NUL byte."""
    for line in text.split("\n")[:-1]:
        yield from _piece(line + "\n")
    tail = text[text.rfind("\n") + 1 :]
    if tail:
        yield from _piece(tail)


def _piece(line: str) -> Iterator[str]:
    if len(line) < BUFFER // 4 or blen(line) < BUFFER:
        yield line.partition("\0")[0] if "\0" in line else line
        return
    raw = line.encode("utf-8", "surrogateescape")
    for at in range(0, len(raw), BUFFER - 1):
        yield raw[at : at + BUFFER - 1].partition(b"\0")[0].decode("utf-8", "surrogateescape")


def strtok(text: str) -> list[str]:
    """Words separated by blank, tab and newline."""
    return [w for w in text.replace("\t", " ").replace("\n", " ").split(" ") if w]


class Restore:
    """One run of iptables-restore over a text."""

    def __init__(
        self,
        ruleset: Ruleset,
        parser: Parser,
        options: Options,
        strict: bool = False,
        lock: Callable[[int], None] = lambda seconds: None,
    ) -> None:
        self.ruleset, self.parser, self.options, self.strict, self.lock = ruleset, parser, options, strict, lock
        self.out = Output()
        self.line = 0
        self.table: Table | None = None
        self.table_name = ""
        self.in_table = False
        self.queue: list[_Queued] = []
        self.legacy = ruleset.personality == "legacy"

    def run(self, text: str) -> int:
        """The exit status; what was printed is in ``out``."""
        collects = gc.isenabled()
        gc.disable()  # rules make no cycles, and there are many
        try:
            return self._run(text)
        finally:
            if collects:
                gc.enable()

    def _run(self, text: str) -> int:
        try:
            for piece in pieces(text):
                self.line += 1
                self.step(piece)
            if self.in_table:
                raise Exit(1, f"{self.parser.program}: COMMIT expected at line {self.line + 1}\n")
        except Exit as stop:
            self.out.stdout.append(stop.stdout)
            self.out.stderr.append(stop.stderr)
            return stop.status
        except TryHelp as stop:
            self.out.stderr.append(stop.text + try_help(self.parser.program, self.line))
            return 2
        except IptablesError as error:
            self.out.stderr.append(report(error, self.parser.program, self.parser.version, self.line))
            return error.status
        return 0

    def step(self, buffer: str) -> None:
        first = buffer[:1]
        if first == "\n":
            return
        if first == "#":
            if self.options.verbose:
                self.out.stdout.append(buffer)
            return
        try:
            if first == "-" and self.in_table:
                self.rule(buffer)
                return
            done = self.dispatch(buffer)
        except OperationError as error:
            self.failed(error)
        else:
            only = self.options.table
            if not done and not (only and only != self.table_name):
                raise Exit(1, f"{self.parser.program}: line {self.line} failed\n")

    def failed(self, error: OperationError, line: int = 0) -> None:
        why = "" if self.legacy else f": {error.text('nft')}."
        raise Exit(1, f"{self.parser.program}: line {line or self.line} failed{why}\n")

    def dispatch(self, buffer: str) -> bool:
        if self.in_table and (buffer == "COMMIT\n" or (buffer == "COMMIT" and not self.legacy)):
            self.commit()
            return True
        if buffer[:1] == "*" and not self.in_table:
            return self.start_table(buffer)
        if buffer[:1] == ":" and self.in_table:
            self.declare(buffer)
            return True
        if self.in_table:
            self.rule(buffer)
            return True
        return False

    # -- tables ----------------------------------------------------------------------------------

    def start_table(self, buffer: str) -> bool:
        found = strtok(buffer[1:])
        program = self.parser.program
        if not found:
            raise ParameterProblem(f"{program}: line {self.line} table name invalid")
        name = found[0]
        only = self.options.table
        if not self.legacy and name not in BUILTIN:
            raise ParameterProblem(f"{program}: line {self.line} table name '{name}' invalid")
        self.table_name = cut(name, 31)
        if only and only != name:
            return True
        if self.legacy:
            self.lock(self.options.wait)
        if name not in BUILTIN:
            raise ParameterProblem(f"{program}: unable to initialize table '{name}'")
        self.in_table = True
        self.table = self.ruleset.working_copy(self.parser.family, name)
        self.queue = []
        if self.legacy:
            if self.ruleset.get(self.parser.family, name) is None:
                self.ruleset.put(self.ruleset.new_table(self.parser.family, name))
            if not self.options.noflush:
                self.empty(self.table)
        elif not self.options.noflush:
            self.queue.append(_Queued(self.line, "flush"))
        return True

    def empty(self, table: Table) -> None:
        """Flush all chains and delete the user ones; legacy policies stay."""
        chains = table.listed()
        for chain in chains:
            if self.options.verbose:
                self.out.stdout.append(f"Flushing chain `{chain.name}'\n")
            op.flush(table, chain)
        for chain in chains:
            if chain.policy is None:
                if self.options.verbose:
                    self.out.stdout.append(f"Deleting chain `{chain.name}'\n")
                del table.chains[chain.name]

    def commit(self) -> None:
        table = self.table
        assert table is not None
        self.in_table = False
        if self.options.test:
            return
        if self.legacy:
            commit_legacy(self.ruleset, table)
        else:
            self.play(table)

    # -- chains ----------------------------------------------------------------------------------

    def declare(self, buffer: str) -> None:
        fields = strtok(buffer[1:])
        program = self.parser.program
        if not fields:
            raise ParameterProblem(f"{program}: line {self.line} chain name invalid")
        name = fields[0]
        if self.legacy:
            if blen(name) >= EXTENSION_NAME_MAX:
                raise ParameterProblem(f"Invalid chain name `{name}' ({EXTENSION_NAME_MAX - 1} chars max)")
            self.make_chain(name)
        else:
            self.parser.announced.add(name)
            check_chain_name(name, self.parser.family, self.parser.announced)
        if len(fields) < 2:
            raise ParameterProblem(f"{program}: line {self.line} policy invalid")
        policy = fields[1]
        assert self.table is not None
        builtin = name in self.table.builtin
        counters: tuple[int, int] | None = None
        if (policy != "-") if self.legacy else builtin:
            counters = self.policy_counters(name, fields[2] if len(fields) > 2 else None)
        if not self.legacy:
            self.queue.append(_Queued(self.line, "policy" if builtin else "chain", name, policy, counters))
        elif policy != "-":
            try:
                op.set_policy(self.table, name, policy, counters)
            except OperationError as error:
                text = error.text("legacy")
                raise OtherProblem(f"Can't set policy `{policy}' on `{name}' line {self.line}: {text}") from None
        self.parser.announced.add(name)

    def make_chain(self, name: str) -> None:
        """A user chain of the text: new, or an old one flushed with -n."""
        table = self.table
        assert table is not None
        if name in table.builtin:
            return
        chain = table.chains.get(name)
        if chain is not None and self.options.noflush:
            op.flush(table, chain)
            return
        try:
            op.create_chain(table, name)
        except OperationError:
            raise ParameterProblem(f"error creating chain '{name}':File exists") from None

    def policy_counters(self, name: str, text: str | None) -> tuple[int, int] | None:
        counters = parse_counters(text) if text is not None else None
        if counters is None and (text is not None or self.options.counters):
            raise ParameterProblem(f"invalid policy counters for chain '{name}'")
        return counters if self.options.counters else None

    # -- rules -----------------------------------------------------------------------------------

    def rule(self, buffer: str) -> None:
        argv = [self.parser.program, "-t", self.table_name]
        if not self.options.noflush:
            argv += ["-v"] * self.options.verbose
        rest = buffer
        if buffer[:1] == "[":
            counters, rest = split_counters(buffer, self.line)
            if self.options.counters:
                argv += ["--set-counters", *counters]
        argv += words(rest)
        if len(argv) >= MOST_WORDS:
            raise ParameterProblem("Parser cannot handle more arguments")
        try:
            command = self.parser.parse(argv, self.table_name)
        finally:
            if self.parser.warnings:
                self.out.stderr += self.parser.warnings
        if command.ignored:
            return
        if self.legacy:
            assert self.table is not None
            apply_legacy(self.table, command, self.out, self.ruleset.get(self.table.family, self.table.name))
        else:
            self.queue.append(_Queued(self.line, "command", "", "", None, command))

    # -- the nft batch ---------------------------------------------------------------------------

    def play(self, table: Table) -> None:
        """Carry out the queue at COMMIT (nft_prepare), then give the batch to the kernel."""
        batch: Batch = {}
        gone = self.ruleset.get(table.family, table.name) is None
        for item in self.queue:
            try:
                if item.command is not None:
                    apply_nft(table, item.command, self.out, batch, item.line)
                elif item.what == "flush":
                    gone = gone or not self.options.verbose
                    table = self.flushed(table)
                elif item.what == "chain":
                    self.restored_chain(table, item.name)
                elif item.what == "policy":
                    self.nft_policy(table, item)
            except OperationError as error:
                self.failed(error, item.line)
        if gone and not any(chain.hooked for chain in table.chains.values()):
            self.ruleset.tables.pop((table.family, table.name), None)
            return
        commit_nft(self.ruleset, table, batch, self.strict)

    def flushed(self, table: Table) -> Table:
        """Without -n the table is deleted; with -v it is emptied step by step."""
        if not self.options.verbose:
            return self.ruleset.new_table(self.parser.family, table.name)
        self.empty(table)
        for chain in table.chains.values():
            chain.hooked = chain.policy != "ACCEPT"
        return table

    def restored_chain(self, table: Table, name: str) -> None:
        chain = table.chains.get(name)
        if chain is None:
            table.chains[name] = Chain(name)
        else:
            op.flush(table, chain)

    def nft_policy(self, table: Table, item: _Queued) -> None:
        chain = table.chains[item.name]
        if item.policy not in ("ACCEPT", "DROP", "-"):
            raise OperationError("EINVAL", "set_policy")
        chain.hooked = True
        policy = str(chain.policy) if item.policy == "-" else item.policy
        op.set_policy(table, item.name, policy, item.counters or (0, 0))


def split_counters(buffer: str, line: int) -> tuple[list[str], str]:
    """``[packets:bytes] rest`` as tokenize_rule_counters reads it. Raises ParameterProblem."""
    end = buffer.find("]")
    if end < 0:
        raise ParameterProblem(f"Bad line {line}: need ]")
    packets, _, octets = buffer[1:].lstrip(":").partition(":")
    if not packets:
        raise ParameterProblem(f"Bad line {line}: need :")
    octets = octets.lstrip("]").partition("]")[0]
    if not octets:
        raise ParameterProblem(f"Bad line {line}: need ]")
    return [packets, octets], buffer[end + 1 :]


_COUNTERS = re.compile(r"\[(\s*[+-]?\d+):(\s*[+-]?\d+)")


def parse_counters(text: str) -> tuple[int, int] | None:
    """``[p:b]`` as sscanf("[%llu:%llu]") reads it, without asking for the closing bracket."""
    if text == "[0:0]":
        return 0, 0
    found = _COUNTERS.match(text)
    if found is None:
        return None
    return (scan_counter(found.group(1)) or 0) & U64, (scan_counter(found.group(2)) or 0) & U64
