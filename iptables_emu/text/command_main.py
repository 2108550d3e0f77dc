"""``iptables``: one command on the ruleset."""

from __future__ import annotations

from collections.abc import Sequence

from iptables_emu.model.ruleset import BUILTIN
from iptables_emu.options.problem import IptablesError
from iptables_emu.text.argv import Parser
from iptables_emu.text.command import Command
from iptables_emu.text.errors import Exit, TryHelp, VersionProblem, report, try_help
from iptables_emu.text.execute import Batch, Output, apply_legacy, apply_nft, commit_legacy, commit_nft
from iptables_emu.text.line import GONE
from iptables_emu.text.programs import Environment, Result
from iptables_emu.text.strerror import OperationError, no_table

_ONLY_LOOKS = frozenset("LSC")


def command_main(argv: Sequence[str], family: int, env: Environment) -> Result:
    """``iptables ...`` or ``ip6tables ...``."""
    program = "iptables" if family == 4 else "ip6tables"
    out = Output()
    parser = Parser(family, env.ruleset.personality, program, env.version)
    if env.strict:
        parser.announced |= GONE
    parser.sets = frozenset(env.sets.items())
    rc = 0
    try:
        try:
            parsed = parser.parse(argv)
        finally:
            out.stderr += parser.warnings
        if env.ruleset.personality == "legacy":
            env.lock(parsed.wait)
        rc = carry_out(parsed, program, env, out)
    except Exit as stop:
        out.stdout.append(stop.stdout)
        out.stderr.append(stop.stderr)
        rc = stop.status
    except TryHelp as stop:
        out.stderr.append(stop.text + try_help(program, None))
        rc = 2
    except IptablesError as error:
        out.stderr.append(report(error, program, env.version, None))
        rc = error.status
    return Result(rc, "".join(out.stdout), "".join(out.stderr))


def carry_out(parsed: Command, program: str, env: Environment, out: Output) -> int:
    """One parsed command on the ruleset; the exit status. Raises IptablesError."""
    legacy = env.ruleset.personality == "legacy"
    if parsed.table not in BUILTIN:
        if legacy:
            raise VersionProblem(f"can't initialize {program} table `{parsed.table}': {no_table(parsed.table)}")
        raise VersionProblem(f"table '{parsed.table}' does not exist")
    try:
        (_legacy if legacy else _nft)(parsed, env, out)
    except OperationError as error:
        hint = " Run `dmesg' for more information." if error.errno == "EINVAL" else ""
        out.stderr.append(f"{program}: {error.text(env.ruleset.personality)}.{hint}\n")
        return 1
    return 0


def _legacy(parsed: Command, env: Environment, out: Output) -> None:
    ruleset = env.ruleset
    if ruleset.get(parsed.family, parsed.table) is None:  # the module is loaded by the first look at it
        ruleset.put(ruleset.new_table(parsed.family, parsed.table))
    table = ruleset.working_copy(parsed.family, parsed.table)
    apply_legacy(table, parsed, out)
    if not parsed.commands <= _ONLY_LOOKS:
        commit_legacy(ruleset, table)


def _nft(parsed: Command, env: Environment, out: Output) -> None:
    ruleset = env.ruleset
    known = ruleset.get(parsed.family, parsed.table) is not None
    table = ruleset.working_copy(parsed.family, parsed.table)
    batch: Batch = {}
    apply_nft(table, parsed, out, batch)
    if not parsed.commands <= _ONLY_LOOKS and (known or any(chain.hooked for chain in table.chains.values())):
        commit_nft(ruleset, table, batch, env.strict)
