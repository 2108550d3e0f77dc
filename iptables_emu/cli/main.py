"""Our own subcommands (click)."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

import click

from iptables_emu.cli.entry import run_beside
from iptables_emu.cli.state import Globals, run_stateful
from iptables_emu.cli.streams import write
from iptables_emu.packet.printable import printable


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="iptables-emu", prog_name="iptables-sim")
def cli() -> None:
    """iptables without a kernel.

    Arguments that begin with - or ! are iptables' own: iptables-sim -A INPUT -p tcp --dport 22 -j ACCEPT
    (iptables-sim -h lists them). Otherwise one of the commands below.

    \b
    Before anything else:
      --backend nft|legacy   whose words and ways (IPTABLES_SIM_BACKEND; nft)
      --state FILE           where the rules are kept (IPTABLES_SIM_STATE)
      --strict               refuse what today's kernels lack (IPTABLES_SIM_STRICT)
      --as NAME              be iptables-legacy-save or another program
    """


@cli.command()
@click.option("--stdio", is_flag=True, required=True, help="JSON lines on standard input and output.")
@click.pass_obj
def serve(settings: Globals, stdio: bool) -> None:
    """Answer requests, one JSON object a line."""
    from iptables_emu.cli.serve import Server

    if settings.memory is not None:
        raise click.UsageError("serve cannot be asked for inside serve")
    Server(os.environ, settings).loop(sys.stdin.buffer, sys.stdout)


_PASS = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@cli.command(context_settings=_PASS)
@click.option("-6", "six", is_flag=True, help="IPv6.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def save(settings: Globals, six: bool, words: tuple[str, ...]) -> None:
    """What iptables-save prints: save [-c] [-t TABLE] [-f FILE]."""
    sys.exit(run_stateful(["ip6tables-save" if six else "iptables-save", *words], settings))


@cli.command(context_settings=_PASS)
@click.option("-6", "six", is_flag=True, help="IPv6.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def restore(settings: Globals, six: bool, words: tuple[str, ...]) -> None:
    """Load a dump as iptables-restore does: restore [-c] [-n] [-t] [FILE]."""
    sys.exit(run_stateful(["ip6tables-restore" if six else "iptables-restore", *words], settings))


@cli.command(context_settings=_PASS)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def ipset(settings: Globals, words: tuple[str, ...]) -> None:
    """Sets of addresses and ports, as the ipset program keeps them: ipset create NAME TYPE ..."""
    sys.exit(run_beside("ipset", words, settings))


@cli.command(context_settings=_PASS)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def conntrack(settings: Globals, words: tuple[str, ...]) -> None:
    """Connections, as the conntrack program shows and changes them: conntrack [--host FOLDER] -L ..."""
    sys.exit(run_beside("conntrack", words, settings))


# -6 counts at the front only: -p6 is no business of click's
@cli.command(context_settings=_PASS)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def translate(settings: Globals, words: tuple[str, ...]) -> None:
    """A command in nft's language: translate [-6] IPTABLES-ARGUMENTS."""
    six = words[:1] == ("-6",)
    sys.exit(run_stateful([f"{'ip6' if six else 'ip'}tables-translate", *words[six:]], settings))


@cli.command(context_settings=_PASS)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def restore_translate(settings: Globals, words: tuple[str, ...]) -> None:
    """A dump in nft's language: restore-translate [-6] [-f FILE], else from standard input."""
    six = words[:1] == ("-6",)
    program = f"{'ip6' if six else 'ip'}tables-restore-translate"
    sys.exit(run_stateful([program, "-f", "/dev/stdin", *words[six:]], settings))


@cli.command()
@click.argument("paths", nargs=-1, required=True)
@click.option("--on", type=click.Choice(["emulator", "kernel", "both"]), default="emulator", show_default=True)
@click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", show_default=True)
def run(paths: tuple[str, ...], on: str, fmt: str) -> None:
    """Run scenarios (files, folders, or - for standard input)."""
    from iptables_emu.scenario.run_command import run_scenarios

    sys.exit(run_scenarios(list(paths), on, fmt, sys.stdin, sys.stdout, sys.stderr))


class _PacketCommand(click.Command):
    """Takes its own options wherever they stand; every other word belongs to the packet, ``-ifoo`` as a whole."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        flags = {name: isinstance(o, click.Option) and o.is_flag for o in self.get_params(ctx) for name in o.opts}
        own: list[str] = []
        words: list[str] = []
        rest = list(args)
        while rest:
            word = rest.pop(0)
            name, equals, _ = word.partition("=")
            if word == "--":
                words += rest
                break
            if (name.startswith("--") and name in flags) or word in flags:
                own.append(word)
            elif word.startswith("-f"):
                own.append(word)
                continue
            else:
                words.append(word)
                continue
            if equals or flags[name]:
                continue
            if not rest:
                return super().parse_args(ctx, own)  # click says what is missing
            own.append(rest.pop(0))
        return super().parse_args(ctx, [*own, "--", *words])


@cli.command(cls=_PacketCommand)
@click.option("-f", "--file", "dump", default="", metavar="DUMP", help="iptables-save text (- is standard input).")
@click.option("--host", default="", metavar="HOST.toml", help="The machine; without it one is inferred.")
@click.option("--format", "fmt", default="", help="tree, text, json, kernel, nft or html.")
@click.option("--why", is_flag=True, help="Tell of each rule that did not match why.")
@click.option("--counters", is_flag=True, help="Take the counters in the dump.")
@click.option("--seed", default=0, help="For what the kernel draws at random.")
@click.option(
    "--unknown",
    type=click.Choice(["match", "miss", "fork"]),
    help="Take a match that cannot be known for this, or go both ways.",
)
@click.option("--keep", is_flag=True, help="Keep the connections, and what happened to them, in the state.")
@click.option("--sleep", default=0.0, metavar="SECONDS", help="Let so much time pass on the state's clock before.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="PACKET")
@click.pass_obj
def trace(
    settings: Globals,
    dump: str,
    host: str,
    fmt: str,
    why: bool,
    counters: bool,
    seed: int,
    unknown: str | None,
    keep: bool,
    sleep: float,
    words: tuple[str, ...],
) -> None:
    """Send one packet and show the whole way it takes.

    PACKET in iptables' flags (-i eth0 -p tcp -s 10.0.0.5 -d 1.2.3.4 --dport 80 --syn) or as a sentence
    ("tcp 10.0.0.5:4000 > 1.2.3.4:80 in eth0 syn"). Status 0: it got through; 10: dropped or rejected;
    20: cannot be known; 2: bad input.
    """
    from iptables_emu.cli.trace import Request, run_trace
    from iptables_emu.trace.render import FORMATS

    if fmt and fmt not in FORMATS:
        raise click.UsageError(f"--format {fmt}: choose one of {', '.join(FORMATS)}")
    if settings.memory is None:
        gc.disable()  # a run is short, and a ruleset makes no cycles
    request = Request(words, dump, host, fmt, why, counters, seed, unknown or "", keep, sleep)
    sys.exit(run_trace(request, settings, sys.stdout, sys.stderr))


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False))
def snapshot(folder: str) -> None:
    """Collect this machine's rules, sets, addresses, routes and connections into FOLDER.

    trace --host FOLDER reads it anywhere else. Needs root to see the rules.
    """
    from pathlib import Path

    from iptables_emu.host.snapshot import NEEDED, collect

    try:
        missing = collect(Path(folder))
    except OSError as error:
        raise click.UsageError(f"{folder}: {error.strerror}") from None
    for line in missing:
        click.echo(f"iptables-sim: {line}", err=True)
    sys.exit(1 if any(line.partition(":")[0] in NEEDED for line in missing) else 0)


@cli.command()
@click.option("-6", "six", is_flag=True, help="IPv6.")
@click.option("-t", "--timeout", type=click.IntRange(min=0), default=10, show_default=True, help="Seconds to answer.")
@click.option("-w", "--write", "saved", default="", metavar="FILE", help="Write the rules there once they are kept.")
@click.argument("rules")
@click.pass_obj
def apply(settings: Globals, six: bool, timeout: int, saved: str, rules: str) -> None:
    """Load RULES, ask whether all is well, and go back to the old ones without a yes.

    Status 0: kept; 255: gone back; 2: RULES cannot be read; 5: they cannot be loaded.
    """
    from iptables_emu.cli.apply import Apply, run_apply

    if settings.memory is not None:
        raise click.UsageError("apply asks its user: it cannot be asked for inside serve")
    sys.exit(run_apply(Apply(rules, timeout, saved, six), settings))


def subcommand(words: Sequence[str], settings: Globals) -> int:
    """Status of one of our own subcommands."""
    try:
        cli.main(list(words), prog_name="iptables-sim", obj=settings, standalone_mode=False)
    except click.ClickException as error:
        command = f"iptables-sim {words[0]}" if words and words[0] in cli.commands else "iptables-sim"
        told = printable(" ".join(error.format_message().split()).rstrip("."))
        write(sys.stderr, f"{command}: {told}; {command} --help says more\n")
        return 2
    except click.exceptions.Abort:
        return 130
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    return 0
