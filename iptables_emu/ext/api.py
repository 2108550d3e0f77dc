"""What an extension is: option table in, text and behaviour out.

An extension is a frozen dataclass whose fields are ints, strings, bools, None and tuples of these: so it
can be stored and compared (``-C`` and ``-D`` compare with ``==``; a field that the kernel alone fills in is
declared with ``field(compare=False)``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

from iptables_emu.engine.verdict import Flow, Outcome, Verdict
from iptables_emu.ext.nft import Nft
from iptables_emu.ext.region import Region
from iptables_emu.options.spec import Base, Gathered, Opt

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

# True/False, or None: it cannot be known from packet and host
Test = Callable[["Packet", "Context"], "bool | None"]
Action = Callable[["Packet", "Context"], Outcome]

HOOK_NAMES = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule stands, for the kernel's check: table, and the hooks its chain is reached from."""

    family: int
    table: str
    hooks: frozenset[str]
    base: Base
    personality: str
    matches: tuple[Match, ...] = ()  # of the rule, for the few targets that look at them
    estimators: Mapping[str, tuple[int, int]] | None = None  # RATEEST's: interval and weight by name
    accounts: frozenset[str] | None = None  # names of the accounting objects; None: taken for there
    cgroups: frozenset[str] | None = None  # paths below the root of the cgroup2 tree; None: taken for there


@dataclass(slots=True)
class Compile:
    """What ``compile`` may use. ``shared`` holds state that several rules name (recent lists, hashlimit
    tables), keyed by (kind, name); state of one rule lives in the closure."""

    base: Base
    shared: dict[tuple[str, str], Any] = field(default_factory=dict)
    now: int = 0  # when the rules were loaded, in nanoseconds

    @property
    def personality(self) -> str:
        return self.base.personality

    @property
    def family(self) -> int:
        return self.base.family


class Extension:
    """Common part of matches and targets."""

    NAME: ClassVar[str] = ""
    OPTIONS: ClassVar[Sequence[Opt]] = ()
    FAMILIES: ClassVar[tuple[int, ...]] = (4, 6)
    # the name under which it is saved, when not its own (libxtables: real_name); None: the same
    REAL_NAME: ClassVar[str | None] = None
    REMARK: ClassVar[str] = ""  # for stderr, each time that it is printed
    # the name in the target column of ``-L``, when it is not the saved one
    LISTED_AS: ClassVar[str] = ""
    # the kernel's conditions (struct xt_match/xt_target): None is "any"
    TABLES: ClassVar[frozenset[str] | None] = None
    HOOKS: ClassVar[frozenset[str] | None] = None
    PROTOCOLS: ClassVar[frozenset[int] | None] = None
    NEEDS_CONNTRACK: ClassVar[bool] = False
    NEEDS_DEFRAG: ClassVar[bool] = False
    NEEDS_SETUP: ClassVar[bool] = False  # state that begins when the rule is loaded, not at its first packet
    NEEDS_ACCOUNTING: ClassVar[bool] = False  # switches on the counters of connections (nf_conntrack_acct)

    __slots__ = ()

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        """Checks of the extension's own, before those of the table. Raises ParameterProblem."""

    @classmethod
    def warned(cls, given: Gathered) -> Sequence[str]:
        """Lines for stderr about options that passed ``check``."""
        return ()

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        """The extension from its options, which have passed ``check`` and the table's conditions."""
        raise NotImplementedError

    @classmethod
    def more_help(cls) -> str:
        """What stands under the options in its help, such as the names that one takes."""
        return ""

    @property
    def saved_name(self) -> str:
        """The name that iptables-save prints."""
        return self.REAL_NAME or self.NAME

    def save(self, base: Base) -> str:
        """Its options as iptables-save prints them, each with a blank before it; "" when there are none."""
        return ""

    def listing(self, numeric: bool, base: Base) -> str:
        """Its text in ``-L``, with the blanks that iptables prints around it."""
        return f"{self.NAME} "

    def translate(self, base: Base) -> str | Nft | None:
        """What it is in nft's language, as iptables-translate has it; None when it has nothing for it."""
        return None

    def refused(self, place: Place) -> str | None:
        """The errno name (``EINVAL`` ...) with which the kernel's checkentry refuses it here, or None."""
        return None

    def native(self, base: Base) -> Self | None:
        """What iptables-nft stores and gives back in place of this (the nft personality only); None: nothing.

        Raises ParameterProblem for what it refuses itself.
        """
        return self

    def is_native(self) -> bool:
        """Whether iptables-nft says it in nft's own expressions: then no check of the extension's looks at it."""
        return False


class Match(Extension):
    """A condition of a rule. ``MISSING`` says what a reader can give where it cannot be known."""

    MISSING: ClassVar[str] = " here"

    __slots__ = ()

    def region(self, base: Base) -> Region | None:
        """The meaning of a pure match; None for a stateful one, which overrides ``compile``."""
        return None

    def compile(self, cx: Compile) -> Test:
        """The test. Without a meaning of its own a match is unknown: the packet's fate is then not guessed."""
        region = self.region(cx.base)
        return region.test() if region is not None else _unknown

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        """(the clause that failed as written, the packet's value), or None when it says nothing."""
        region = self.region(base)
        return region.why_not(pkt) if region is not None else None

    def joined(self, later: Match) -> Self | None:
        """What iptables-nft reads back of this and a later match of its kind as one; None: they stay two."""
        return None

    def matches_all(self) -> bool:
        """True for a match that always holds (comment): it is told from a rule without matches nowhere."""
        return False


def _unknown(pkt: Packet, ctx: Context) -> None:
    return None


class Target(Extension):
    """What a rule does."""

    __slots__ = ()

    def compile(self, cx: Compile) -> Action:
        """The action. Without a meaning of its own a target's verdict is unknown."""
        return lambda pkt, ctx: Verdict.UNKNOWN


__all__ = [
    "Action", "Base", "Compile", "Extension", "Flow", "Gathered", "Match", "Nft", "Opt", "Outcome", "Place", "Region",
    "Target", "Test", "Verdict",
]  # fmt: skip
