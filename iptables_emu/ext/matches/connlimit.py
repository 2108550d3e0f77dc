"""connlimit: how many connections an address has (kernel: xt_connlimit.c, nf_conncount.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.conntrack.tuples import ASSURED, ORIGINAL, Tuple, read_tuple
from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.ext.widemask import narrow_mask, wide_mask
from iptables_emu.model.address import FULL, show
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import plen_mask, uint
from iptables_emu.packet.exthdr import skip_headers

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

CLOSED = frozenset({"TIME_WAIT", "CLOSE"})
TICK_NS = 4_000_000  # of a clock of 250 Hz


def _bits(mask: int, base: Base) -> int:
    """The prefix length as connlimit counts it: each word of 32 bits up to its last one."""
    narrow = narrow_mask(mask, base.family)
    words = [narrow >> at & 0xFFFFFFFF for at in range(0, base.addr_bits, 32)]
    return base.addr_bits - sum((word ^ 0xFFFFFFFF).bit_length() for word in words)


@dataclass(frozen=True, slots=True)
class Connlimit(Match):
    """More than ``limit`` connections from (or to) the address under ``mask`` (of 128 bits), or with ``upto`` at
    most that many.

    A rule counts the connections that it has met, until they are gone or closed. Within one tick
    of the clock the kernel does not look again which are gone: when that would matter, the outcome is unknown.
    """

    NAME: ClassVar[str] = "connlimit"
    MISSING: ClassVar[str] = ": whether the kernel has looked again since a connection ended depends on its clock"
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("connlimit-upto", uint(32), invert=True, excludes=("connlimit-above",), metavar="n",
            help="at most n connections"),
        Opt("connlimit-above", uint(32), invert=True, excludes=("connlimit-upto",), metavar="n",
            help="more than n connections"),
        Opt("connlimit-mask", plen_mask, metavar="length", help="prefix by which addresses are grouped"),
        Opt("connlimit-saddr", None, excludes=("connlimit-daddr",), help="group by source address"),
        Opt("connlimit-daddr", None, excludes=("connlimit-saddr",), help="group by destination address"),
    )  # fmt: skip

    limit: int
    upto: bool
    mask: int
    destination: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if "connlimit-upto" not in given and "connlimit-above" not in given:
            raise ParameterProblem('You must specify "--connlimit-above" or "--connlimit-upto".')

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        upto, above = given.get("connlimit-upto"), given.get("connlimit-above")
        mask, limit, is_upto = given.get("connlimit-mask"), 0, False
        if upto:
            limit, is_upto = upto.value, not upto.inverted
        elif above:
            limit, is_upto = above.value, above.inverted
        wide = wide_mask(mask.value if mask else None, base.family)
        return cls(limit, is_upto, wide, "connlimit-daddr" in given)

    def save(self, base: Base) -> str:
        return (
            f" --connlimit-{'upto' if self.upto else 'above'} {self.limit}"
            f" --connlimit-mask {_bits(self.mask, base)}"
            f" --connlimit-{'daddr' if self.destination else 'saddr'}"
        )

    def listing(self, numeric: bool, base: Base) -> str:
        side, sign = "dst" if self.destination else "src", "<=" if self.upto else ">"
        return f" #conn {side}/{_bits(self.mask, base)} {sign} {self.limit}"

    def translate(self, base: Base) -> nft.Nft:
        """The set is of IPv4 addresses in both families, as upstream has it."""
        mask = narrow_mask(self.mask, base.family)
        bits = "" if mask == FULL[base.family] else f"and {show(mask, base.family)} "
        side = f"{'ip' if base.family == 4 else 'ip6'} {'daddr' if self.destination else 'saddr'}"
        count = f"ct count {'' if self.upto else 'over '}{self.limit}"
        return nft.Nft(
            f"add @connlimit{{n}} {{ {side} {bits}{count} }}",
            declares="connlimit{n} { type ipv4_addr; flags dynamic; }",
        )

    def compile(self, cx: Compile) -> Test:
        mask, limit, upto, destination = narrow_mask(self.mask, cx.base.family), self.limit, self.upto, self.destination
        lists: dict[tuple[int, int], Counted] = {}

        def test(pkt: Packet, ctx: Context) -> bool | None:
            conn = pkt.ct
            zone = conn.zone_of(ORIGINAL) if conn else 0
            counted = lists.setdefault(((pkt.dst if destination else pkt.src) & mask, zone), Counted())
            least, most = counted.count(pkt, zone, ctx)
            if not most:
                pkt.hotdrop = True
                return False
            if not least or (least > limit) is not (most > limit):
                return None
            return (most > limit) is not upto

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        return self.save(base).strip(), "more" if self.upto else "not more"


def _unknown(pkt: Packet) -> Tuple | None:
    """The tuple of a packet without a connection; None: it has none, and is dropped."""
    if pkt.family == 6 and skip_headers(pkt.data) is None:
        return None
    return read_tuple(pkt.family, pkt.src, pkt.dst, pkt.proto, bytes(pkt.data[pkt.l4 :]))


class Counted:
    """The connections of one address: (original tuple, zone) of each."""

    def __init__(self) -> None:
        self.members: list[tuple[Tuple, int]] = []
        self.cleaned = -TICK_NS
        self.exists = False

    def count(self, pkt: Packet, zone: int, ctx: Context) -> tuple[int, int]:
        """How many there are with this packet's, (at least, at most): the clock's tick matters (nf_conncount_add)."""
        conn = pkt.ct if pkt.ct is not None and not pkt.ct.template else None
        key = conn.original if conn else _unknown(pkt)
        if key is None:
            return 0, 0
        mine = (key, zone)
        if self.exists and conn and conn.confirmed and conn.status & ASSURED:
            return self._cleaned(ctx)
        self.exists = True
        alive = self._looked_through(mine, ctx)
        before = self.cleaned
        if ctx.now - before >= TICK_NS or len(alive) == len(self.members):
            self.members, self.cleaned = alive, ctx.now
        gone = len(self.members) - len(alive)
        again = before == ctx.now and not (conn and conn.confirmed)  # not looked for twice in a tick
        if again or mine not in self.members:
            self.members.append(mine)
        return len(self.members) - gone, len(self.members)

    def _looked_through(self, mine: tuple[Tuple, int], ctx: Context) -> list[tuple[Tuple, int]]:
        """Who is left when the list is searched for a member: what stands behind it is not looked at."""
        until = self.members.index(mine) if mine in self.members else len(self.members)
        return [member for member in self.members[:until] if self._alive(member, ctx)] + self.members[until:]

    def _cleaned(self, ctx: Context) -> tuple[int, int]:
        """An assured connection is not added; instead the list is cleaned, of this connection, too, once it has closed
        (nf_conncount_gc_list)."""
        alive = [member for member in self.members if self._alive(member, ctx)]
        if ctx.now - self.cleaned >= TICK_NS or len(alive) == len(self.members):
            self.members, self.cleaned = alive, ctx.now
        return len(alive), len(self.members)

    @staticmethod
    def _alive(member: tuple[Tuple, int], ctx: Context) -> bool:
        key, zone = member
        found = ctx.conntrack.table.find(key, zone)
        return found is not None and (found[0].tcp is None or found[0].tcp.state not in CLOSED)


EXTENSIONS = (Connlimit,)
