"""addrtype: what kind of address source or destination is for the routing (kernel: xt_addrtype.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NoReturn, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.ext.words import Word, word_list
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

# in the order of the kernel's RTN_* numbers
TYPES: tuple[Word, ...] = tuple((name, 1 << number) for number, name in enumerate(
    ("UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT",
     "THROW", "NAT", "XRESOLVE")))  # fmt: skip
BIT = dict(TYPES)
SPOKEN = 9  # types that nft has a name for, from UNSPEC to PROHIBIT
NOT_IN_V6 = BIT["BROADCAST"] | BIT["BLACKHOLE"]
ROUTED_V6 = BIT["LOCAL"] | BIT["ANYCAST"] | BIT["UNREACHABLE"]


def _types(text: str, cx: OptionContext) -> int:
    def bad(rest: str, last: bool) -> NoReturn:
        raise ParameterProblem(f'addrtype: bad type "{rest}"' if last else f"addrtype: bad type `{rest}'")

    return word_list(text, TYPES, bad)


def _show(types: int) -> str:
    return ",".join(name for name, bit in TYPES if types & bit)


@dataclass(frozen=True, slots=True)
class Addrtype(Match):
    """``src`` and ``dst`` are sets of types (bit n is the kernel's RTN number n), 0 asks nothing; ``limit`` is
    "", "in" or "out": whose interface the address has to belong to."""

    NAME: ClassVar[str] = "addrtype"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("src-type", _types, invert=True, metavar="type[,...]", help="type of the source address"),
        Opt("dst-type", _types, invert=True, metavar="type[,...]", help="type of the destination address"),
        Opt("limit-iface-in", excludes=("limit-iface-out",), help="ask about the incoming interface alone"),
        Opt("limit-iface-out", excludes=("limit-iface-in",), help="ask about the outgoing interface alone"),
    )

    src: int = 0
    not_src: bool = False
    dst: int = 0
    not_dst: bool = False
    limit: str = ""

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if "src-type" not in given and "dst-type" not in given:
            raise ParameterProblem("addrtype: you must specify --src-type or --dst-type")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        src, dst = given.get("src-type"), given.get("dst-type")
        limit = "in" if "limit-iface-in" in given else "out" if "limit-iface-out" in given else ""
        return cls(src.value if src else 0, bool(src and src.inverted),
                   dst.value if dst else 0, bool(dst and dst.inverted), limit)  # fmt: skip

    def save(self, base: Base) -> str:
        out = f"{' !' if self.not_src else ''} --src-type {_show(self.src)}" if self.src else ""
        if self.dst:
            out += f"{' !' if self.not_dst else ''} --dst-type {_show(self.dst)}"
        return out + (f" --limit-iface-{self.limit}" if self.limit else "")

    def listing(self, numeric: bool, base: Base) -> str:
        out = " ADDRTYPE match"
        if self.src:
            out += f" src-type {'!' if self.not_src else ''}{_show(self.src)}"
        if self.dst:
            out += f" dst-type {'!' if self.not_dst else ''}{_show(self.dst)}"
        return out + (f" limit-{self.limit}" if self.limit else "")

    def translate(self, base: Base) -> str:
        """One of the two types only, and whichever is inverted inverts it."""
        types = self.src or self.dst
        names = [name.lower() for name, bit in TYPES[:SPOKEN] if types & bit]
        interface = f". {self.limit[0]}if " if self.limit == "in" else ". oif " if self.limit else ""
        kinds = ", ".join(names) if not types & types - 1 else f"{{ {', '.join(names)} }}"
        sign = nft.unless(self.not_src or self.not_dst)
        return f"fib {'saddr' if self.src else 'daddr'} {interface}type {sign}{kinds}"

    def refused(self, place: Place) -> str | None:
        wrong = {"out": {"PREROUTING", "INPUT"}, "in": {"POSTROUTING", "OUTPUT"}, "": set[str]()}[self.limit]
        types = self.src | self.dst
        if place.hooks & wrong or (place.family == 6 and (types & NOT_IN_V6 or types >= BIT["PROHIBIT"])):
            return "EINVAL"
        return None

    def compile(self, cx: Compile) -> Test:
        src, dst, limit = self.src, self.dst, self.limit
        holds = _holds4 if cx.family == 4 else _holds6

        def test(pkt: Packet, ctx: Context) -> bool:
            dev = ctx.iif if limit == "in" else ctx.oif if limit == "out" else ""
            if src and holds(pkt.src, src, dev, ctx) is self.not_src:
                return False
            return not dst or holds(pkt.dst, dst, dev, ctx) is not self.not_dst

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        values = ((pkt.src, self.src), (pkt.dst, self.dst))
        kinds = [ctx.host.addr_type(value, pkt.family) for value, asked in values if asked]
        return self.save(base).strip(), "type " + " and ".join(kinds)


def _holds4(address: int, types: int, dev: str, ctx: Context) -> bool:
    return bool(types & BIT[ctx.host.addr_type(address, 4, dev)])


def _holds6(address: int, types: int, dev: str, ctx: Context) -> bool:
    """The kinds that the address itself shows must all hold; of those the routing tells one is enough."""
    multicast = address >> 120 == 0xFF
    unicast = not multicast and address != 0 and address >> 32 != 0xFFFF  # nor an IPv4-mapped one
    if types & BIT["MULTICAST"] and not multicast:
        return False
    if types & BIT["UNICAST"] and not unicast:
        return False
    if types & BIT["UNSPEC"] and address != 0:
        return False
    return not types & ROUTED_V6 or bool(types & ROUTED_V6 & BIT[ctx.host.addr_type(address, 6, dev)])


EXTENSIONS = (Addrtype,)
