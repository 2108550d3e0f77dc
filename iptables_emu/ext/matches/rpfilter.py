"""rpfilter: whether a reply would leave by the interface the packet came in by.

kernel: ipt_rpfilter.c, ip6t_rpfilter.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.packet.packet import LOOPBACK

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Rpfilter(Match):
    """``mark`` looks up with the packet's mark, ``loose`` takes any way back."""

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

    def translate(self, base: Base) -> str | None:
        if self.accept_local and not self.inverted:
            return None
        local = "fib saddr type != local " if self.accept_local else ""
        key = f"{'. mark ' if self.mark else ''}{'' if self.loose else '. iif '}"
        return f"{local}fib saddr {key}oif {nft.unless(not self.inverted)}0"

    def compile(self, cx: Compile) -> Test:
        passes = self._passes4 if cx.family == 4 else self._passes6

        def test(pkt: Packet, ctx: Context) -> bool:
            looped = pkt.iif == "lo" or pkt.pkttype == LOOPBACK
            return (looped or passes(pkt, ctx)) is not self.inverted

        return test

    def _passes4(self, pkt: Packet, ctx: Context) -> bool:
        many = pkt.dst == 0xFFFFFFFF or pkt.dst >> 28 == 14
        if pkt.src == 0 and (pkt.dst == 0xFFFFFFFF or pkt.dst >> 8 == 0xE00000):
            return True
        toward = 0 if many or pkt.dst == 0 else pkt.dst
        mark = pkt.mark if self.mark else 0
        found = ctx.host.fibs[4].lookup(pkt.src, src=toward, mark=mark, iif="lo", tos=pkt.tos)
        if found.error or found.route is None:
            return False
        if found.type != "unicast" and not (found.type == "local" and self.accept_local):
            return False
        return found.route.leaves_by(pkt.iif) or self.loose

    def _passes6(self, pkt: Packet, ctx: Context) -> bool:
        if pkt.src == 0:
            return True
        link_local = pkt.src >> 118 == 0x3FA
        oif = pkt.iif if link_local or not self.loose else ""
        toward = pkt.dst if pkt.dst and pkt.dst >> 120 != 0xFF else 0
        found = ctx.host.fibs[6].lookup(pkt.src, src=toward, mark=pkt.mark if self.mark else 0, iif="lo", oif=oif)
        if found.error or found.route is None or found.type == "anycast":
            return False
        if found.type == "local":
            return self.accept_local
        return found.route.dev == pkt.iif or self.loose


EXTENSIONS = (Rpfilter,)
