"""Dumps into rulesets, for programs that use the package as a library."""

from __future__ import annotations

import re
from collections.abc import Mapping

from iptables_emu.model.ruleset import Objects, Ruleset
from iptables_emu.text.argv import Parser
from iptables_emu.text.programs import VERSION
from iptables_emu.text.restore import Options, Restore

CALL = re.compile(r"^.*(?:-j|-g|--jump|--goto)[ =]?(\S+)")
SET = re.compile(r"--(?:match-set|set|add-set|del-set|map-set) +(\S+)")
NOT_A_LINE = "expected *TABLE, :CHAIN POLICY, a command such as -A, or COMMIT"
NO_CHAIN = "the table has no such chain or rule"
AT_COMMIT = "the kernel refuses the table: chains in a loop, or an extension where it must not stand"
MEANS = {
    "Too many links": "the chains call each other in a loop",
    "Invalid argument": "the kernel does not take this extension in this table or chain",
    "Operation not supported": "the kernel does not take this here",
}


class LoadError(Exception):
    """A dump was refused: ``message`` is iptables-restore's text, ``status`` its exit status.

    ``line`` and ``column`` (from 1, 0: not known) say where, ``reason`` why in one line.
    """

    def __init__(self, message: str, status: int, line: int = 0, text: str = "") -> None:
        super().__init__(message.strip())
        self.message, self.status, self.line = message, status, line
        rows = text.split("\n")
        self.reason = self._reason(rows)
        told = re.search(r"[`\"']([^`\"']+)['\"]", self.reason)
        word = told.group(1) if told else ""
        if "does not exist" in self.reason:  # nft tells of it at COMMIT
            self.line = next((n for n, row in enumerate(rows, 1) if _calls(row) == word), self.line)
        row = rows[self.line - 1] if 0 < self.line <= len(rows) else ""
        self.column = row.find(word) + 1 if word else 0
        if row.endswith("\r"):
            self.reason += "; the line ends with CR LF: give the dump plain line ends"

    def _reason(self, rows: list[str]) -> str:
        prefix = re.compile(r"^ip6?tables-restore(?: v\S+ \(\w+\))?: ")
        told = [prefix.sub("", prefix.sub("", row)).strip() for row in self.message.split("\n")]
        first = next((row for row in told if row and not row.startswith("Error occurred at line")), "refused")
        where = re.match(r"line (\d+)(?: failed)?:? ?|COMMIT expected at line (\d+)", first)
        if not where:
            return first
        self.line = int(where.group(1) or where.group(2))
        if where.group(2):
            return "COMMIT expected"
        bare = first[where.end() :] or _bare_failure(rows[: self.line])
        means = next((f" ({text})" for word, text in MEANS.items() if word in bare), "")
        return bare + means

    @property
    def place(self) -> str:
        """``:LINE:COLUMN`` as far as known."""
        return "".join(f":{number}" for number in (self.line, self.column) if number)


def _bare_failure(rows: list[str]) -> str:
    """Why the last of these rows failed, where iptables-restore says no more than that."""
    row = rows[-1].strip() if rows else ""
    inside = next((each[:1] == "*" for each in reversed(rows[:-1]) if each[:1] == "*" or each[:6] == "COMMIT"), False)
    if inside and row == "COMMIT":
        return AT_COMMIT
    return NO_CHAIN if inside and row[:1] == "-" else NOT_A_LINE


def _calls(row: str) -> str:
    found = CALL.match(row)
    return found.group(1) if found else ""


def load_dump(
    text: str, family: int = 4, personality: str = "nft", *, counters: bool = False, ruleset: Ruleset | None = None,
    assume_sets: bool = False, sets: Mapping[str, int] | None = None,
) -> Ruleset:  # fmt: skip
    """The ruleset of one iptables-save text. Raises LoadError.

    ``sets`` are the ipsets that exist, with their families. ``assume_sets``: those that rules name exist, too
    (what they hold is not known then), and so do accounting objects and control groups.
    """
    ruleset = ruleset or Ruleset(personality)
    if assume_sets:
        ruleset.objects = Objects(None, None)
    program = "iptables-restore" if family == 4 else "ip6tables-restore"
    version = f"{VERSION} ({'legacy' if personality == 'legacy' else 'nf_tables'})"
    parser = Parser(family, personality, program, version, restore=True)
    parser.release = ruleset.release
    known = dict.fromkeys(named_sets(text), 0) if assume_sets else {}
    parser.sets = frozenset({**known, **(sets or {})}.items())
    run = Restore(ruleset, parser, Options(counters=counters))
    rc = run.run(text)
    if rc:
        raise LoadError("".join(run.out.stderr), rc, run.line, text)
    return ruleset


def named_sets(text: str) -> list[str]:
    """The ipsets that the rules of a dump name, each once."""
    return list(dict.fromkeys(SET.findall(text))) if "set" in text else []
