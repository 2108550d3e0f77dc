"""A rule as plain data: what ``-C`` and ``-D`` compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from iptables_emu.ext.api import Match, Target

VERDICTS = frozenset({"ACCEPT", "DROP", "QUEUE", "RETURN"})


class RuleSpec(NamedTuple):
    """Addresses and masks are integers of the family; ``jump`` is a verdict, a chain, the name of
    ``target``, or "" for a rule that only counts."""

    family: int = 4
    src: int = 0
    src_mask: int = 0
    not_src: bool = False
    dst: int = 0
    dst_mask: int = 0
    not_dst: bool = False
    iif: str = ""
    not_iif: bool = False
    oif: str = ""
    not_oif: bool = False
    proto: int = 0
    not_proto: bool = False
    proto_given: bool = False  # ip6tables' IP6T_F_PROTO: -p was written
    fragment: bool = False
    not_fragment: bool = False
    matches: tuple[Match, ...] = ()
    target: Target | None = None
    jump: str = ""
    goto: bool = False

    def with_addresses(self, src: tuple[int, int], dst: tuple[int, int]) -> RuleSpec:
        """The same rule for one source and destination of a list."""
        if src == (self.src, self.src_mask) and dst == (self.dst, self.dst_mask):
            return self
        return self._replace(src=src[0], src_mask=src[1], dst=dst[0], dst_mask=dst[1])

    def comparable(self) -> RuleSpec:
        """The rule as the kernel compares it: ``-i +`` is any interface, as is none."""
        if self.iif != "+" and self.oif != "+":
            return self
        return self._replace(iif="" if self.iif == "+" else self.iif,
                             oif="" if self.oif == "+" else self.oif)  # fmt: skip

    @property
    def verdict(self) -> str:
        """The standard verdict, or "" for a target, a chain or nothing."""
        return self.jump if self.target is None and self.jump in VERDICTS else ""

    @property
    def chain(self) -> str:
        """The chain it jumps or goes to, or ""."""
        return self.jump if self.target is None and self.jump and self.jump not in VERDICTS else ""


class Rule:
    """A rule in a chain: its spec, its counters, and what the compiler made of it (``program``)."""

    __slots__ = ("bytes", "packets", "program", "spec")

    def __init__(self, spec: RuleSpec, packets: int = 0, bytes: int = 0) -> None:
        self.spec, self.packets, self.bytes = spec, packets, bytes
        self.program: Any = None

    def __deepcopy__(self, memo: object) -> Rule:
        """Without what the compiler made of it: closures cannot be copied, and would be shared."""
        return Rule(self.spec, self.packets, self.bytes)

    def __repr__(self) -> str:
        return f"Rule({self.spec!r}, {self.packets}, {self.bytes})"
