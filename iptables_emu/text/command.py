"""One iptables command as parsed: what to do, where, and the rule it speaks of."""

from __future__ import annotations

from dataclasses import dataclass, field

from iptables_emu.model.rule import RuleSpec

EXTENSION_NAME_MAX = 29  # XT_EXTENSION_MAXNAMELEN


@dataclass(slots=True)
class Command:
    """``commands`` holds the command letters (two only for -Z beside -L or -S)."""

    family: int
    table: str
    commands: set[str] = field(default_factory=set)
    chain: str | None = None
    rulenum: int = 0
    by_number: bool = False  # -D with a number
    zero_one: bool = False  # -Z with a number
    newname: str = ""
    policy: str | None = None
    counters: tuple[int, int] | None = None
    verbose: int = 0
    numeric: bool = False
    exact: bool = False
    line_numbers: bool = False
    sources: list[tuple[int, int]] = field(default_factory=list)
    destinations: list[tuple[int, int]] = field(default_factory=list)
    jump: str = ""
    goto: bool = False
    spec: RuleSpec = field(default_factory=RuleSpec)
    ignored: bool = False  # a -6 line for iptables-restore, a -4 line for ip6tables-restore
    warnings: list[str] = field(default_factory=list)

    def specs(self) -> list[RuleSpec]:
        """The rules it stands for: every source with every destination, sources outside."""
        return [self.spec.with_addresses(s, d) for s in self.sources for d in self.destinations]
