"""socket: whether a socket of this host would take the packet (kernel: xt_socket.c, revision 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext.api import Base, Gathered, Match, Opt


@dataclass(frozen=True, slots=True)
class Socket(Match):
    """The meaning waits for the host's sockets."""

    NAME: ClassVar[str] = "socket"
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING", "INPUT"})
    NEEDS_DEFRAG: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("transparent", None, help="only transparent sockets count"),
        Opt("nowildcard", None, help="listening on any address counts too"),
        Opt("restore-skmark", None, help="a match gives the packet the socket's mark"),
    )

    transparent: bool = False
    nowildcard: bool = False
    restore_mark: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(*(opt.name in given for opt in cls.OPTIONS))

    def save(self, base: Base) -> str:
        flags = (self.transparent, self.nowildcard, self.restore_mark)
        return "".join(f" --{opt.name}" for opt, on in zip(self.OPTIONS, flags, strict=True) if on)

    def listing(self, numeric: bool, base: Base) -> str:
        return " socket" + self.save(base)

    def translate(self, base: Base) -> str:
        if self.nowildcard and not self.transparent and not self.restore_mark:
            return "socket wildcard le 1"
        words = [] if self.nowildcard else ["socket wildcard 0"]
        words += ["socket transparent 1"] if self.transparent else []
        words += ["meta mark set socket mark"] if self.restore_mark else []
        return " ".join(words)


EXTENSIONS = (Socket,)
