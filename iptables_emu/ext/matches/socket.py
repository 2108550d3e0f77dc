"""socket: whether a socket of this host would take the packet (kernel: xt_socket.c, revision 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.ext.socket_lookup import socket_of

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Socket(Match):
    """A socket bound to any address counts with ``nowildcard`` only."""

    NAME: ClassVar[str] = "socket"
    MISSING: ClassVar[str] = ": give the host's [[sockets]], with proto, port and address"
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

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool | None:
            found = socket_of(pkt, ctx.host.sockets)
            if found is None:
                return False if ctx.host.sockets.known else None
            wildcard = found.address is None and not self.nowildcard
            if self.transparent and not found.transparent:
                return False
            if self.restore_mark and not wildcard:
                ctx.set_mark(pkt, found.mark)
            return not wildcard

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        found = socket_of(pkt, ctx.host.sockets)
        have = "no socket takes it" if found is None else "its socket is bound to any address"
        if found is not None and self.transparent and not found.transparent:
            have = "its socket is not transparent"
        return f"-m socket{self.save(base)}", have

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
