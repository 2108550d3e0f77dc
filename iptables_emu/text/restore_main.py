"""``iptables-restore``: its options, and reading its input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from iptables_emu.options.problem import ParameterProblem
from iptables_emu.text.argv import WAIT_INTERVAL_IGNORED, Parser, check_wait_interval
from iptables_emu.text.errors import Exit, report
from iptables_emu.text.getopt import Getopt, complaint
from iptables_emu.text.line import GONE
from iptables_emu.text.option_tables import restore_options
from iptables_emu.text.programs import Environment, Result
from iptables_emu.text.restore import Options, Restore
from iptables_emu.text.words import scan_integer


@dataclass(slots=True)
class _CommandLine:
    options: Options = field(default_factory=Options)
    files: list[str] = field(default_factory=list)
    stderr: str = ""
    wait_interval: bool = False


def restore_main(argv: Sequence[str], family: int, name: str, env: Environment) -> Result:
    """``iptables-restore [-cnvt] [-T TABLE] [FILE]``."""
    line = _CommandLine()
    try:
        _read(line, argv, name, env)
        text = _input(line, env)
    except ParameterProblem as error:
        return Result(2, "", line.stderr + report(error, name, env.version, 0))
    except Exit as stop:
        return Result(stop.status, stop.stdout, line.stderr + stop.stderr)
    parser = Parser(family, env.ruleset.personality, name, env.version, restore=True)
    if env.strict:
        parser.announced |= GONE
    parser.sets = frozenset(env.sets.items())
    run = Restore(env.ruleset, parser, line.options, env.strict, env.lock)
    rc = run.run(text)
    return Result(rc, "".join(run.out.stdout), line.stderr + "".join(run.out.stderr))


def _input(line: _CommandLine, env: Environment) -> str:
    """The text to load. Raises Exit."""
    if len(line.files) > 1:
        raise Exit(1, "Unknown arguments found on commandline\n")
    text = read_file(line.files[0]) if line.files else None
    if line.wait_interval and not line.options.wait:
        raise Exit(1, "Option --wait-interval requires option --wait\n")
    return env.read_input() if text is None else text


def read_file(path: str, end: str = "\n") -> str:
    """The text of a file. Raises Exit."""
    try:
        return Path(path).read_bytes().decode("utf-8", "surrogateescape")
    except IsADirectoryError:  # fopen takes a directory, which then reads as empty
        return ""
    except OSError as error:
        raise Exit(1, f"Can't open {path}: {error.strerror}{end}") from None


def _read(line: _CommandLine, argv: Sequence[str], name: str, env: Environment) -> None:
    """The options. Raises Exit, ParameterProblem."""
    getopt, options = Getopt(argv, restore_options(env.ruleset.personality)), line.options
    while getopt.next():
        if getopt.kind == "word":
            line.files.append(getopt.arg or "")
        elif getopt.kind != "option" or getopt.val in ("4", "6"):
            why = "" if getopt.kind == "option" else complaint(getopt)
            raise Exit(1, f"{why}Try `{name} -h' for more information.\n")
        elif getopt.val == "V":
            raise Exit(0, "", f"{name} v{env.version}\n")
        elif getopt.val == "h":
            from iptables_emu.text.help import restore_usage

            raise Exit(0, restore_usage(name))
        elif getopt.val == "b":
            line.stderr += "-b/--binary option is not implemented\n"
        elif getopt.val in ("w", "W"):
            _wait(line, getopt.val, getopt.arg, getopt, env)
        elif getopt.val == "v":
            options.verbose += 1
        elif getopt.val == "T":
            options.table = getopt.arg
        else:
            options.counters |= getopt.val == "c"
            options.noflush |= getopt.val == "n"
            options.test |= getopt.val == "t"
    line.files += list(argv[getopt.index :])


def _wait(line: _CommandLine, letter: str, arg: str | None, getopt: Getopt, env: Environment) -> None:
    """-w and -W; iptables-nft only skips their word. Raises ParameterProblem."""
    if arg is None and getopt.has_arg():
        arg = getopt.take()
    if env.ruleset.personality == "nft":
        return
    if letter == "W":
        check_wait_interval(arg)
        line.stderr += WAIT_INTERVAL_IGNORED
        line.wait_interval = True
        return
    number = -1 if arg is None else scan_integer(arg)
    if number is None:
        raise ParameterProblem("wait seconds not numeric")
    line.options.wait = number
