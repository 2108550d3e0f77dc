"""The real programs' main functions: argv and standard input in, status and texts out.

Nothing here touches files except ``iptables-save -f`` and a restore's file argument; the ruleset is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from iptables_emu.model.ruleset import BUILTIN, Ruleset
from iptables_emu.options.problem import IptablesError
from iptables_emu.text.argv import Parser
from iptables_emu.text.command import Command
from iptables_emu.text.errors import Exit, TryHelp, VersionProblem, report, try_help
from iptables_emu.text.execute import Output, apply_legacy, apply_nft, commit
from iptables_emu.text.getopt import NO, OPTIONAL, REQUIRED, Getopt, Long
from iptables_emu.text.restore import Options, Restore
from iptables_emu.text.save import save_table
from iptables_emu.text.strerror import OperationError

VERSION = "1.8.11"


@dataclass(frozen=True, slots=True)
class Result:
    """How a program ended."""

    rc: int
    stdout: str = ""
    stderr: str = ""


@dataclass(slots=True)
class Environment:
    """What a program works on. ``read_input`` reads all of standard input."""

    ruleset: Ruleset
    strict: bool = False
    read_input: Callable[[], str] = lambda: ""

    @property
    def version(self) -> str:
        return f"{VERSION} ({'legacy' if self.ruleset.personality == 'legacy' else 'nf_tables'})"


def program_of(name: str) -> tuple[int, str, str | None] | None:
    """(family, what, personality or None) of a program name such as ``ip6tables-nft-restore``; None: not one."""
    family = 6 if name.startswith("ip6tables") else 4 if name.startswith("iptables") else 0
    if not family:
        return None
    rest = name[len("ip6tables" if family == 6 else "iptables") :]
    personality = None
    for each in ("nft", "legacy"):
        if rest == f"-{each}" or rest.startswith(f"-{each}-"):
            personality, rest = each, rest[len(each) + 1 :]
    what = {"": "command", "-save": "save", "-restore": "restore", "-xml": "xml"}.get(rest)
    return None if what is None else (family, what, personality)


def run_program(argv: Sequence[str], env: Environment) -> Result:
    """Run ``argv`` (the program's name first)."""
    name = argv[0].rsplit("/", 1)[-1]
    found = program_of(name)
    if found is None:
        return Result(127, "", f"{name}: unknown program\n")
    family, what, _ = found
    if what == "save":
        return save(argv, family, name, env)
    if what == "restore":
        return restore(argv, family, name, env)
    if what == "xml":
        from iptables_emu.text.xml import xml_main

        return xml_main(argv, env)
    return command(argv, family, env)


# -- iptables ------------------------------------------------------------------------------------


def command(argv: Sequence[str], family: int, env: Environment) -> Result:
    """``iptables ...``."""
    program = "iptables" if family == 4 else "ip6tables"
    out = Output()
    parser = Parser(family, env.ruleset.personality, program, env.version)
    rc = 0
    try:
        parsed = parser.parse(argv)
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
    ruleset, legacy = env.ruleset, env.ruleset.personality == "legacy"
    if parsed.table not in BUILTIN:
        if legacy:
            why = "Table does not exist (do you need to insmod?)"
            raise VersionProblem(f"can't initialize iptables table `{parsed.table}': {why}")
        raise VersionProblem(f"table '{parsed.table}' does not exist")
    table = ruleset.working_copy(parsed.family, parsed.table)
    if legacy and ruleset.get(parsed.family, parsed.table) is None:
        ruleset.put(table.copy())
    try:
        if env.strict and not legacy and parsed.spec.verdict == "QUEUE":
            from iptables_emu.options.problem import ParameterProblem

            raise ParameterProblem("Chain 'QUEUE' does not exist")
        if legacy:
            apply_legacy(table, parsed, out)
        else:
            before = {id(r) for c in table.chains.values() for r in c.rules} if parsed.commands & set("AIR") else set()
            apply_nft(table, parsed, out)
        if parsed.commands & set("LSC") and not parsed.commands & set("Z"):
            return 0
        if legacy:
            commit(ruleset, table)
        elif ruleset.get(parsed.family, parsed.table) is not None or not parsed.commands & set("FXZD"):
            verb = {"I": "RULE_INSERT", "R": "RULE_REPLACE"}.get(next(iter(parsed.commands)), "RULE_APPEND")
            fresh = {id(r): (0, verb) for c in table.chains.values() for r in c.rules if id(r) not in before} \
                if parsed.commands & set("AIR") else {}
            commit(ruleset, table, fresh)
    except OperationError as error:
        text = error.text(ruleset.personality)
        hint = " Run `dmesg' for more information." if error.errno == "EINVAL" else ""
        out.stderr.append(f"{program}: {text}.{hint}\n")
        return 1
    return 0


# -- iptables-save ---------------------------------------------------------------------------------

_SAVE_LONG = {"binary": (NO, "b"), "counters": (NO, "c"), "version": (NO, "V"), "dump": (NO, "d"),
              "table": (REQUIRED, "t"), "modprobe": (REQUIRED, "M"), "file": (REQUIRED, "f"),
              "ipv4": (NO, "4"), "ipv6": (NO, "6")}  # fmt: skip
_SAVE_SHORT = {"b": NO, "c": NO, "d": NO, "t": REQUIRED, "M": REQUIRED, "f": REQUIRED, "V": NO, "4": NO, "6": NO}


def save(argv: Sequence[str], family: int, name: str, env: Environment) -> Result:
    """``iptables-save [-c] [-t TABLE] [-M X] [-f FILE]``."""
    legacy = env.ruleset.personality == "legacy"
    getopt = Getopt(argv, _SAVE_SHORT, {k: Long(k, v[0], v[1], ord(v[1])) for k, v in _SAVE_LONG.items()})
    counters, only, path = False, None, None
    stderr = ""
    extra = []
    while (got := getopt.next()) is not None:
        if got.kind == "word":
            extra.append(got.arg)
        elif got.kind in ("unknown", "missing"):
            why = _getopt_complaint(name, argv, got.kind, got.arg or "")
            return Result(1, "", stderr + why + f"Look at manual page `{name}.8' for more information.\n")
        elif got.val == "b":
            stderr += "-b/--binary option is not implemented\n"
        elif got.val == "c":
            counters = True
        elif got.val == "t":
            only = got.arg
        elif got.val == "f":
            path = got.arg
        elif got.val == "V":
            return Result(0, f"{name} v{env.version}\n", stderr)
    if extra or getopt.peek() is not None:
        return Result(1, "", stderr + "Unknown arguments found on commandline\n")
    if only is not None and only not in BUILTIN:
        if legacy:
            why = "Cannot initialize: Table does not exist (do you need to insmod?)"
            return Result(1, "", f"{stderr}{name} v{env.version}: {why}\n")
        return Result(1, "", f"{stderr}Table `{only}' does not exist\n")
    text = save_text(env, family, name, only, counters=counters)
    if path is not None:
        try:
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
        except OSError as error:
            return Result(1, "", f"{stderr}Failed to open file, error: {error.strerror}\n")
        text = ""
    return Result(0, text, stderr)


def save_text(env: Environment, family: int, name: str, only: str | None, *, counters: bool) -> str:
    """What iptables-save prints, with its comment lines."""
    ruleset = env.ruleset
    version = f"{VERSION} (nf_tables)" if ruleset.personality == "nft" else VERSION
    if only is None:
        tables = ruleset.ordered(family)
    else:
        tables = [ruleset.get(family, only) or ruleset.new_table(family, only)]
        if ruleset.personality == "legacy" and ruleset.get(family, only) is None:
            ruleset.put(tables[0])
    now = time.ctime()
    return "".join(
        f"# Generated by {name} v{version} on {now}\n{save_table(t, ruleset.personality, counters=counters)}"
        f"# Completed on {now}\n"
        for t in tables
    )


def _getopt_complaint(name: str, argv: Sequence[str], kind: str, arg: str) -> str:
    """What glibc's getopt prints itself."""
    if kind == "missing":
        if arg.startswith("--"):
            return f"{argv[0]}: option '{arg}' requires an argument\n"
        return f"{argv[0]}: option requires an argument -- '{arg[-1:]}'\n"
    if arg.startswith("--"):
        return f"{argv[0]}: unrecognized option '{arg.partition('=')[0] if False else arg}'\n"
    return f"{argv[0]}: invalid option -- '{arg[1:2]}'\n"


# -- iptables-restore --------------------------------------------------------------------------------

_RESTORE_LONG = {"counters": (NO, "c"), "verbose": (NO, "v"), "version": (NO, "V"), "test": (NO, "t"),
                 "help": (NO, "h"), "noflush": (NO, "n"), "modprobe": (REQUIRED, "M"), "table": (REQUIRED, "T"),
                 "wait": (OPTIONAL, "w"), "wait-interval": (OPTIONAL, "W"), "binary": (NO, "b"),
                 "ipv4": (NO, "4"), "ipv6": (NO, "6")}  # fmt: skip
_RESTORE_SHORT = {"b": NO, "c": NO, "v": NO, "V": NO, "t": NO, "h": NO, "n": NO, "w": NO, "W": NO, "M": REQUIRED,
                  "T": REQUIRED}  # fmt: skip


def restore(argv: Sequence[str], family: int, name: str, env: Environment) -> Result:
    """``iptables-restore [-cnvt] [-T TABLE] [FILE]``."""
    try:
        options, path = _restore_options(argv, name, env)
    except Exit as stop:
        return Result(stop.status, stop.stdout, stop.stderr)
    if path is None:
        text = env.read_input()
    else:
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                text = file.read()
        except OSError as error:
            return Result(1, "", f"Can't open {path}: {error.strerror}\n")
    parser = Parser(family, env.ruleset.personality, name, env.version, restore=True)
    run = Restore(env.ruleset, parser, options, env.strict)
    rc = run.run(text)
    return Result(rc, "".join(run.out.stdout), "".join(run.out.stderr))


def _restore_options(argv: Sequence[str], name: str, env: Environment) -> tuple[Options, str | None]:
    options = Options()
    getopt = Getopt(argv, _RESTORE_SHORT, {k: Long(k, v[0], v[1], ord(v[1])) for k, v in _RESTORE_LONG.items()})
    words: list[str] = []
    stderr = ""
    while (got := getopt.next()) is not None:
        if got.kind == "word":
            words.append(got.arg or "")
        elif got.kind in ("unknown", "missing"):
            complaint = _getopt_complaint(name, argv, got.kind, got.arg or "")
            raise Exit(1, f"{stderr}{complaint}Try `{name} -h' for more information.\n")
        elif got.val == "V":
            raise Exit(0, stderr, f"{name} v{env.version}\n")
        elif got.val == "h":
            from iptables_emu.text.help import restore_usage

            raise Exit(0, stderr, restore_usage(name))
        elif got.val == "b":
            stderr += "-b/--binary option is not implemented\n"
        elif got.val == "v":
            options.verbose += 1
        elif got.val in ("w", "W"):
            if got.arg is None and getopt.has_arg():
                getopt.take()
        elif got.val == "T":
            options.table = got.arg
        else:
            options.counters |= got.val == "c"
            options.noflush |= got.val == "n"
            options.test |= got.val == "t"
    words += list(argv[getopt.index :])
    if len(words) > 1:
        raise Exit(1, stderr + "Unknown arguments found on commandline\n")
    return options, words[0] if words else None
