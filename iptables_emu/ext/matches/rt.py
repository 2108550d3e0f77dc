"""rt: the routing header of IPv6 (kernel: ip6t_rt.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Region, Test
from iptables_emu.ext.region import Clause, masked, within
from iptables_emu.model.address import parse_plain, show
from iptables_emu.options.numbers import U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import uint, uint_range
from iptables_emu.packet.exthdr import ROUTING, find_header, header_length

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

MOST: Final = 16  # IP6T_RT_HOPS


def _of_type_0(text: str, cx: OptionContext) -> bool:
    kind = cx.given.get("rt-type")
    if kind is None or kind.value != 0 or kind.inverted:
        raise ParameterProblem(f"`--rt-type 0' required before `--{cx.name}'")
    return True


def _not_strict(text: str, cx: OptionContext) -> bool:
    if "rt-0-addrs" not in cx.given:
        raise ParameterProblem("`--rt-0-addr ...' required before `--rt-0-not-strict'")
    return True


def _addresses(text: str, cx: OptionContext) -> tuple[int, ...]:
    _of_type_0(text, cx)
    out = []
    words = text.split(",")
    for word in words[:MOST]:
        address = parse_plain(word, 6)
        if address is None:
            raise ParameterProblem(f"bad address: {word}")
        out.append(address)
    if len(words) > MOST:
        raise ParameterProblem("too many addresses specified")
    return tuple(out)


def _sign(inverted: bool) -> str:
    return " !" if inverted else ""


@dataclass(frozen=True, slots=True)
class Rt(Match):
    """``segsleft`` is inclusive; None and () mean "not asked". ``loose``: the addresses need only be among the hops."""

    NAME: ClassVar[str] = "rt"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("rt-type", uint(32), invert=True, metavar="type", help="routing type"),
        Opt("rt-segsleft", uint_range(32), invert=True, metavar="num[:num]", help="segments left, one or a range"),
        Opt("rt-len", uint(32), invert=True, metavar="length", help="bytes of the whole header"),
        Opt("rt-0-res", _of_type_0, bare=True, help="the reserved word is zero (type 0)"),
        Opt("rt-0-addrs", _addresses, metavar="addr[,addr...]", help=f"the hops of type 0 in order, at most {MOST}"),
        Opt("rt-0-not-strict", _not_strict, bare=True, help="other hops may stand between those of --rt-0-addrs"),
    )

    kind: int | None = None
    not_kind: bool = False
    segsleft: tuple[int, int] | None = None
    not_segsleft: bool = False
    length: int | None = None
    not_length: bool = False
    reserved: bool = False
    addresses: tuple[int, ...] = ()
    loose: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        kind, left, length, hops = (given.get(f"rt-{key}") for key in ("type", "segsleft", "len", "0-addrs"))
        return cls(
            kind.value if kind else None, bool(kind and kind.inverted),
            (left.value[0], left.value[-1]) if left else None, bool(left and left.inverted),
            length.value if length else None, bool(length and length.inverted),
            "rt-0-res" in given, hops.value if hops else (), "rt-0-not-strict" in given,
        )  # fmt: skip

    def _says_segsleft(self) -> bool:
        return self.segsleft is not None and (self.segsleft != (0, U32) or self.not_segsleft)

    def _saves(self, base: Base) -> bool:
        return self.segsleft != (0, U32) or base.tells_not_all

    def _segsleft_option(self) -> str:
        low, high = self.segsleft or (0, U32)
        return f"{_sign(self.not_segsleft)} --rt-segsleft {low}" + (f":{high}" if low != high else "")

    def _addresses_text(self) -> str:
        return " " + ",".join(show(address, 6) for address in self.addresses)

    def save(self, base: Base) -> str:
        out = f"{_sign(self.not_kind)} --rt-type {self.kind}" if self.kind is not None else ""
        out += self._segsleft_option() if self._says_segsleft() and self._saves(base) else ""
        out += f"{_sign(self.not_length)} --rt-len {self.length}" if self.length is not None else ""
        out += " --rt-0-res" if self.reserved else ""
        out += f" --rt-0-addrs{self._addresses_text()}" if self.addresses else ""
        return out + (" --rt-0-not-strict" if self.loose else "")

    def listing(self, numeric: bool, base: Base) -> str:
        out = " rt"
        if self.kind is not None:  # upstream prints it signed
            out += f" type:{'!' if self.not_kind else ''}{self.kind - (self.kind >> 31 << 32)}"
        if self._says_segsleft():
            low, high = self.segsleft or (0, U32)
            sign = "!" if self.not_segsleft else ""
            out += f" segsleft:{sign}{low}" if low == high else f" segslefts:{sign}{low}:{high}"
        if self.length is not None:
            out += f" length:{'!' if self.not_length else ''}{self.length}"
        out += " reserved" if self.reserved else ""
        out += f" 0-addrs{self._addresses_text()}" if self.addresses else ""
        return out + (" 0-not-strict" if self.loose else "")

    def translate(self, base: Base) -> str | None:
        if self.reserved or self.addresses or self.loose:
            return None
        words = [] if self.kind is None else [f"rt type {nft.unless(self.not_kind)}{self.kind}"]
        if self.segsleft and self._says_segsleft():
            words.append(f"rt seg-left {nft.unless(self.not_segsleft)}{nft.span(*self.segsleft)}")
        if self.length is not None:
            words.append(f"rt hdrlength {nft.unless(self.not_length)}{self.length}")
        return " ".join(words) or "exthdr rt exists"

    def region(self, base: Base) -> Region | None:
        # a list of hops is no condition on single fields
        return None if self.addresses else Region((self._clauses(),))

    def _clauses(self) -> tuple[Clause, ...]:
        label = self._segsleft_option().strip() if self._says_segsleft() else "-m rt"
        out = [within("rt_segsleft", (self.segsleft or (0, U32),), self.not_segsleft, label)]
        if self.length is not None:
            label = f"{_sign(self.not_length)} --rt-len {self.length}".strip()
            out.append(within("rt_len", ((self.length, self.length),), self.not_length, label))
        if self.kind is not None:
            label = f"{_sign(self.not_kind)} --rt-type {self.kind}".strip()
            out.append(within("rt_type", ((self.kind, self.kind),), self.not_kind, label))
        if self.reserved:
            out.append(masked("rt_reserved", 0, U32, label="--rt-0-res"))
        return tuple(out)

    def compile(self, cx: Compile) -> Test:
        plain = Region((self._clauses(),)).test()

        def test(pkt: Packet, ctx: Context) -> bool:
            at = find_header(pkt, ROUTING, quiet=False)
            if at is not None and at + header_length(pkt.data, ROUTING, at) > len(pkt.data):
                pkt.hotdrop = True
            if at is None or not plain(pkt, ctx):
                return False
            return not self.addresses or self._has_hops(pkt, at)

        return test

    def _has_hops(self, pkt: Packet, at: int) -> bool:
        count = (header_length(pkt.data, ROUTING, at) - 8) // 16
        hops = [int.from_bytes(pkt.data[at + 8 + 16 * i : at + 24 + 16 * i], "big") for i in range(count)]
        if not self.loose:
            return tuple(hops) == self.addresses
        found = 0
        for hop in hops:
            if found < len(self.addresses) and hop == self.addresses[found]:
                found += 1
        return found == len(self.addresses)


EXTENSIONS = (Rt,)
