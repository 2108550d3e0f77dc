"""ipv6header: which IPv6 extension headers a packet has (kernel: ip6t_ipv6header.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import masked, within
from iptables_emu.options import names
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.packet.exthdr import HEADER_BITS, PROTO_BIT

UPPER: Final = 255  # IPPROTO_RAW stands for "an upper-layer protocol"
BITS: Final = {**HEADER_BITS, UPPER: PROTO_BIT}
NUMBERS: Final = {"hop-by-hop": 0, "protocol": UPPER, "hop": 0, "dst": 60, "route": 43, "frag": 44, "auth": 51,
                  "esp": 50, "none": 59, "prot": UPPER, "0": 0, "60": 60, "43": 43, "44": 44, "51": 51, "50": 50,
                  "59": 59, "255": UPPER}  # fmt: skip


def _header_set(text: str, cx: OptionContext) -> int:
    out = 0
    for word in filter(None, text.split(",")):
        number = names.protocol_number(word)
        if number is None:
            number = NUMBERS.get(word)
        if number is None:
            raise ParameterProblem(f"unknown header `{word}' specified")
        if number not in BITS:
            raise ParameterProblem(f"unknown header `{number}' specified")
        out |= BITS[number]
    if not out:
        raise ParameterProblem("ip6t_ipv6header: cannot parse header names")
    return out


def _header_names(flags: int) -> str:
    return ",".join(_name(number) for number, bit in BITS.items() if flags & bit)


def _name(number: int) -> str:
    known = names.protocol_name(number, True) if number else None
    return known or next(name for name, value in NUMBERS.items() if value == number)


@dataclass(frozen=True, slots=True)
class Ipv6Header(Match):
    """``flags`` are bits of ``BITS``: the headers are exactly these, or (``soft``) at least these."""

    NAME: ClassVar[str] = "ipv6header"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("header", _header_set, invert=True, mandatory=True, metavar="header[,header...]",
            help="hop, dst, route, frag, auth, esp, none or prot; their long names and numbers too"),
        Opt("soft", None, help="other headers may be there as well"),
    )  # fmt: skip

    flags: int
    inverted: bool = False
    soft: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["header"].value, given["header"].inverted, "soft" in given)

    def save(self, base: Base) -> str:
        out = f"{' !' if self.inverted else ''} --header {_header_names(self.flags)}"
        return out + (" --soft" if self.soft else "")

    def listing(self, numeric: bool, base: Base) -> str:
        shown = f"0x{self.flags:02X}" if numeric else _header_names(self.flags)
        return f" ipv6header flags:{'!' if self.inverted else ''}{shown}" + (" soft" if self.soft else "")

    def region(self, base: Base) -> Region:
        label = self.save(base).strip()
        if self.soft:  # turned, it asks that none of them is there
            clause = masked("ipv6_headers", 0 if self.inverted else self.flags, self.flags, label=label)
        else:
            clause = within("ipv6_headers", ((self.flags, self.flags),), self.inverted, label)
        return Region(((clause,),))


EXTENSIONS = (Ipv6Header,)
