"""One iptables command as parsed: what to do, where, and the rule it speaks of."""

from __future__ import annotations

from iptables_emu.model.rule import RuleSpec

EXTENSION_NAME_MAX = 29  # XT_EXTENSION_MAXNAMELEN
RULE_COMMANDS = frozenset("ADCIR")
ANY: tuple[int, int] = (0, 0)
_NOTHING: frozenset[str] = frozenset()
_ANYWHERE = (ANY,)
_EMPTY = RuleSpec()


class Command:
    """``commands`` holds the command letters (two only for -Z beside -L or -S).

    What a line does not say stays with the class: a line of a dump says little.
    """

    commands: frozenset[str] = _NOTHING
    on_rule: bool = False  # about a rule that stands on the line: -A, -C, -D, -I or -R
    chain: str | None = None
    rulenum: int = 0
    by_number: bool = False  # -D with a number
    zero_one: bool = False  # -Z with a number
    wait: int = 0  # -w: seconds for the xtables lock, -1 for ever
    newname: str = ""
    policy: str | None = None
    counters: tuple[int, int] | None = None
    verbose: int = 0
    numeric: bool = False
    exact: bool = False
    line_numbers: bool = False
    sources: tuple[tuple[int, int], ...] = _ANYWHERE
    destinations: tuple[tuple[int, int], ...] = _ANYWHERE
    jump: str = ""
    goto: bool = False
    spec: RuleSpec = _EMPTY  # with the first source and destination
    ignored: bool = False  # a -6 line for iptables-restore, a -4 line for ip6tables-restore

    def __init__(self, family: int, table: str) -> None:
        self.family, self.table = family, table
        self.warnings: list[str] = []

    def specs(self) -> list[RuleSpec]:
        """The rules it stands for: every source with every destination, sources outside."""
        if len(self.sources) == 1 and len(self.destinations) == 1:
            return [self.spec]
        return [self.spec.with_addresses(s, d) for s in self.sources for d in self.destinations]
