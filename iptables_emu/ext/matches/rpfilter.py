"""rpfilter: whether a reply would leave by the interface the packet came in by (kernel: ipt_rpfilter.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext.api import Base, Gathered, Match, Opt


@dataclass(frozen=True, slots=True)
class Rpfilter(Match):
    """The meaning waits for the host's routes."""

    NAME: ClassVar[str] = "rpfilter"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle", "raw"})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("loose", None, help="the reply may leave by any interface"),
        Opt("validmark", None, help="use the packet's mark for the look-up"),
        Opt("accept-local", None, help="a source address of this host is fine"),
        Opt("invert", None, help="match packets that fail the test"),
    )

    loose: bool = False
    mark: bool = False
    accept_local: bool = False
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(*(opt.name in given for opt in cls.OPTIONS))

    def _words(self, prefix: str) -> str:
        flags = (self.loose, self.mark, self.accept_local, self.inverted)
        return "".join(f" {prefix}{opt.name}" for opt, on in zip(self.OPTIONS, flags, strict=True) if on)

    def save(self, base: Base) -> str:
        return self._words("--")

    def listing(self, numeric: bool, base: Base) -> str:
        return " rpfilter" + self._words("")


EXTENSIONS = (Rpfilter,)
