"""osf: the sender's operating system by its SYN (kernel: xt_osf.c)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.host.fingerprints import Fingerprint, Syn
from iptables_emu.model.address import prefix_mask, show
from iptables_emu.options.types import string, uint
from iptables_emu.packet.log_line import DEFAULT_MASK, log_line

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

EQUAL, LESS, ANY = range(3)  # --ttl
FIRST = 1  # --log
SYN = 2


@dataclass(frozen=True, slots=True)
class Osf(Match):
    """A SYN is compared with the fingerprints that nfnl_osf has loaded. The kernel does not look at ``inverted``, and
    with ``log`` it takes any system for the one that was named."""

    NAME: ClassVar[str] = "osf"
    MISSING: ClassVar[str] = ': name the file of fingerprints, as osf_file = "pf.os" of the host'
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({6})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING", "INPUT", "FORWARD"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("genre", string(size=32), invert=True, mandatory=True, metavar="name", help="name of the system"),
        Opt("ttl", uint(32, 0, 2), metavar="level", help="0 TTL must be equal, 1 may be less, 2 does not count"),
        Opt("log", uint(32, 0, 2), metavar="level", help="0 log all signatures, 1 the first, 2 the known ones"),
    )

    genre: str
    inverted: bool = False
    ttl: int | None = None
    log: int | None = None

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        ttl, log = given.get("ttl"), given.get("log")
        genre = given["genre"]
        return cls(genre.value, genre.inverted, ttl.value if ttl else None, log.value if log else None)

    def save(self, base: Base) -> str:
        out = f"{' !' if self.inverted else ''} --genre {self.genre}"
        if self.ttl is not None:
            out += f" --ttl {self.ttl}"
        return out + (f" --log {self.log}" if self.log is not None else "")

    def listing(self, numeric: bool, base: Base) -> str:
        return f" OS fingerprint match {'! ' if self.inverted else ''}{self.genre}"

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool | None:
            syn = _syn(pkt)
            if syn is None:
                return False
            if ctx.host.fingerprints is None:
                return None
            found = list(self._found(pkt, syn, ctx))
            if self.log is not None:
                self._tell(pkt, ctx, found)
            return bool(found)

        return test

    def _found(self, pkt: Packet, syn: Syn, ctx: Context) -> Iterator[Fingerprint]:
        """The fingerprints of the SYN; to be logged they may be of any system."""
        for one in ctx.host.fingerprints or ():
            if self.log is None and one.genre != self.genre:
                continue
            if one.fits(syn, lambda ttl: self._ttl_fits(pkt, ttl, ctx)):
                yield one
                if self.log == FIRST:
                    return

    def _ttl_fits(self, pkt: Packet, ttl: int, ctx: Context) -> bool:
        """``--ttl 1``: fewer may be left, but not when the sender is on the link."""
        if self.ttl == ANY:
            return True
        if self.ttl != LESS:
            return pkt.ttl == ttl
        if pkt.ttl <= ttl:
            return True
        interface = ctx.host.interfaces[ctx.iif]
        mine = (a for a in interface.addresses if a.family == 4)
        return any(not (pkt.src ^ a.value) & prefix_mask(a.plen, 4) for a in mine) and pkt.ttl == ttl

    def _tell(self, pkt: Packet, ctx: Context, found: list[Fingerprint]) -> None:
        ports = [int.from_bytes(pkt.data[at : at + 2], "big") for at in (pkt.l4, pkt.l4 + 2)]
        ends = f"{show(pkt.src, 4)}:{ports[0]} -> {show(pkt.dst, 4)}:{ports[1]}"
        told = [f"{one.genre} [{one.version}:{one.subtype}] : {ends} hops={one.ttl - pkt.ttl}" for one in found]
        for line in told or [f"Remote OS is not known: {ends}"]:
            ctx.log(pkt, line)
            ctx.log(pkt, log_line(pkt, ctx, "", DEFAULT_MASK))

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        label = f"-m osf{self.save(base)}"
        syn = _syn(pkt)
        if syn is None:
            return label, "no SYN"
        any_system = replace(self, log=0)
        names = dict.fromkeys(one.genre for one in any_system._found(pkt, syn, ctx))
        return label, f"looks like {', '.join(names)}" if names else "of no known system"


def _syn(pkt: Packet) -> Syn | None:
    head = bytes(pkt.data[pkt.l4 :])
    if len(head) < 20 or not head[13] & SYN or len(head) < (head[12] >> 4) * 4:
        return None
    options = head[20 : max(20, (head[12] >> 4) * 4)]
    return Syn(pkt.length, pkt.ttl, pkt.df, int.from_bytes(head[14:16], "big"), options)


EXTENSIONS = (Osf,)
