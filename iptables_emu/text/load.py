"""Dumps into rulesets, for programs that use the package as a library."""

from __future__ import annotations

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.argv import Parser
from iptables_emu.text.programs import VERSION
from iptables_emu.text.restore import Options, Restore


class LoadError(Exception):
    """A dump was refused; ``message`` is iptables-restore's text, ``status`` its exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message.strip())
        self.message, self.status = message, status


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
        raise LoadError("".join(run.out.stderr), rc)
    return ruleset
