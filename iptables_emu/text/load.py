"""Dumps into rulesets, for programs that use the package as a library."""

from __future__ import annotations

import re

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.argv import Parser
from iptables_emu.text.programs import VERSION
from iptables_emu.text.restore import Options, Restore


class LoadError(Exception):
    """A dump was refused: ``message`` is iptables-restore's text, ``status`` its exit status.

    ``line`` and ``column`` (from 1, 0: not known) say where, ``reason`` why in one line.
    """

    def __init__(self, message: str, status: int, line: int = 0, text: str = "") -> None:
        super().__init__(message.strip())
        self.message, self.status, self.line = message, status, line
        first = next((row for row in message.splitlines() if row.strip()), "refused")
        self.reason = re.sub(r"^ip6?tables-restore(?: v\S+ \(\w+\))?: ", "", first).strip()
        told = re.search(r"[`\"']([^`\"']+)['\"]", self.reason)
        self.column = text.find(told.group(1)) + 1 if told else 0

    @property
    def place(self) -> str:
        """``:LINE:COLUMN`` as far as known."""
        return "".join(f":{number}" for number in (self.line, self.column) if number)


def load_dump(
    text: str, family: int = 4, personality: str = "nft", *, counters: bool = False, ruleset: Ruleset | None = None
) -> Ruleset:
    """The ruleset of one iptables-save text. Raises LoadError."""
    ruleset = ruleset or Ruleset(personality)
    program = "iptables-restore" if family == 4 else "ip6tables-restore"
    version = f"{VERSION} ({'legacy' if personality == 'legacy' else 'nf_tables'})"
    parser = Parser(family, personality, program, version, restore=True)
    parser.release = ruleset.release
    run = Restore(ruleset, parser, Options(counters=counters))
    rc = run.run(text)
    if rc:
        rows = text.split("\n")
        raise LoadError("".join(run.out.stderr), rc, run.line, rows[run.line - 1] if 0 < run.line <= len(rows) else "")
    return ruleset
