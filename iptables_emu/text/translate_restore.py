"""``iptables-restore-translate``: a dump in nft's language (iptables: xtables-translate.c)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.argv import Parser
from iptables_emu.text.errors import Exit
from iptables_emu.text.getopt import Getopt
from iptables_emu.text.lexer import words
from iptables_emu.text.option_tables import translate_options
from iptables_emu.text.programs import VERSION, Result
from iptables_emu.text.restore import Options, Restore, split_counters
from iptables_emu.text.translate import NFT_VERSION, PERSONALITY, Translator

# priorities of base chains, but of filter and security 0
_PRIORITIES = {"mangle": -150, "raw": -300}
_NAT_PRIORITIES = {"PREROUTING": -100, "INPUT": 100, "OUTPUT": -100, "POSTROUTING": 100}


def restore_translate_main(argv: Sequence[str], family: int) -> Result:
    """``iptables-restore-translate -f FILE``."""
    try:
        text = _input(argv)
    except Exit as stop:
        return Result(stop.status, stop.stdout, stop.stderr)
    program = f"{'iptables' if family == 4 else 'ip6tables'}-translate-restore"
    parser = Parser(family, PERSONALITY, program, NFT_VERSION, restore=True)
    run, now = RestoreTranslator(parser), time.ctime()
    rc = run.run(text)
    head, tail = f"# Translated by {argv[0]} v{VERSION} on {now}\n", f"# Completed on {now}\n"
    return Result(rc, head + "".join(run.out.stdout) + ("" if rc else tail), "".join(run.out.stderr))


def _input(argv: Sequence[str]) -> str:
    """The dump. Unknown options are passed over. Raises Exit."""
    usage = (
        f"{argv[0]} {VERSION} (c) 2014 by Pablo Neira Ayuso <pablo@netfilter.org>\n"
        f"Usage: {argv[0]} [-h] [-f <FILE>] [-V]\n\t[ --help ]\n\t[ --file=<FILE> ]\n\t[ --version ]\n"
    )
    getopt, path = Getopt(argv, translate_options()), None
    while getopt.next():
        if getopt.kind != "option":
            continue
        if getopt.val == "h":
            raise Exit(1, usage)
        if getopt.val == "V":
            raise Exit(0, "", f"{argv[0]} v{VERSION}\n")
        path = getopt.arg
    if path is None:
        raise Exit(1, f"ERROR: missing file name\n{usage}")
    try:
        return Path(path).read_bytes().decode("utf-8", "surrogateescape")
    except IsADirectoryError:  # fopen takes a directory, which then reads as empty
        return ""
    except OSError:
        raise Exit(1, f"Cannot open file {path}\n") from None


class RestoreTranslator(Restore):
    """Reads a dump as iptables-restore does, but a table needs no COMMIT, and each line is printed at once."""

    def __init__(self, parser: Parser) -> None:
        super().__init__(Ruleset("nft"), parser, Options())
        self.translator = Translator(parser.family, restore=True)
        self._open = False

    def dispatch(self, buffer: str) -> bool:
        if buffer[:1] == "*":
            return self.start_table(buffer)
        if not self._open:
            return False
        if buffer.removesuffix("\n") == "COMMIT":
            self._open = False
        elif buffer[:1] == ":":
            self.declare(buffer)
        else:
            self.rule(buffer)
        return True

    def start_table(self, buffer: str) -> bool:
        super().start_table(buffer)
        self.in_table, self._open = False, True
        self.out.stdout.append(f"add table {self.translator.ip} {self.table_name}\n")
        return True

    def declare(self, buffer: str) -> None:
        super().declare(buffer)
        chain, base = self.queue.pop(), ""
        if chain.what == "policy":
            kind = "nat" if self.table_name == "nat" else "filter"
            kind = "route" if (self.table_name, chain.name) == ("mangle", "OUTPUT") else kind
            nat = _NAT_PRIORITIES if self.table_name == "nat" else {}
            priority = nat.get(chain.name, _PRIORITIES.get(self.table_name, 0))
            policy = f"policy {chain.policy.lower()}; " if chain.policy in ("ACCEPT", "DROP") else ""
            base = f" {{ type {kind} hook {chain.name.lower()} priority {priority}; {policy}}}"
        self.out.stdout.append(f"add chain {self.translator.ip} {self.table_name} {chain.name}{base}\n")

    def rule(self, buffer: str) -> None:
        before = len(self.queue)
        super().rule(buffer)
        if len(self.queue) == before:  # a line of the other family
            return
        command = self.queue.pop().command
        assert command is not None
        rest = split_counters(buffer, self.line)[1] if buffer[:1] == "[" else buffer
        argv = [self.parser.program, "-t", self.table_name, *words(rest)]
        text = self.translator.command(command, argv)
        if text is None:
            raise Exit(1, f"{self.parser.program}: line {self.line} failed\n")
        self.out.stdout.append(text)
