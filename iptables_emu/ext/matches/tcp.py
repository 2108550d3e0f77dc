"""tcp: ports, flags and one option of a TCP segment (kernel: xt_tcpudp.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Region, Test
from iptables_emu.ext.ports import PortMatch, port_range
from iptables_emu.ext.region import Header, masked
from iptables_emu.options.numbers import strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.packet.packet import TCP

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

FLAGS = (("FIN", 1), ("SYN", 2), ("RST", 4), ("PSH", 8), ("ACK", 16), ("URG", 32), ("ALL", 63), ("NONE", 0))
FLAGS_TWICE = "Only one of `--syn' or `--tcp-flags'  allowed"


def _flag_set(text: str) -> int:
    out = 0
    for word in filter(None, text.split(",")):
        bits = next((bits for name, bits in FLAGS if name == word.upper()), None)
        if bits is None:
            raise ParameterProblem(f"Unknown TCP flag `{word}'")
        out |= bits
    return out


def _flags(text: str, cx: OptionContext) -> tuple[int, int]:
    second = cx.words.peek()
    if second is None or second[:1] in ("-", "!"):
        raise ParameterProblem("--tcp-flags requires two args.")
    return _flag_set(text), _flag_set(cx.words.take())


def _option(text: str, cx: OptionContext) -> int:
    value = strict(text, 1, 255)
    if value is None:
        raise ParameterProblem(f'Bad TCP option "{text}"')
    return value


def _nft_flags(bits: int) -> str:
    return ",".join(name.lower() for name, bit in FLAGS[:6] if bits & bit) or "0x0"


def _show_flags(bits: int) -> str:
    return ",".join(name for name, bit in FLAGS[:6] if bits & bit) or "NONE"


@dataclass(frozen=True, slots=True)
class Tcp(PortMatch):
    """``option`` 0 means none asked; flags are (mask, compare)."""

    NAME: ClassVar[str] = "tcp"
    NUMBER: ClassVar[int] = TCP
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({TCP})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("source-port", port_range("tcp"), "sport", invert=True, once="Only one `--source-port' allowed", ident=49,
            metavar="port[:port]", help="port or ports it was sent from"),
        Opt("sport", port_range("tcp"), "sport", invert=True, once="Only one `--source-port' allowed", ident=49),
        Opt("destination-port", port_range("tcp"), "dport", invert=True, ident=50,
            once="Only one `--destination-port' allowed", metavar="port[:port]", help="port or ports it is sent to"),
        Opt("dport", port_range("tcp"), "dport", invert=True, once="Only one `--destination-port' allowed", ident=50),
        Opt("syn", None, "flags", invert=True, once=FLAGS_TWICE, ident=51,
            help="a connection's first segment: SYN without RST, ACK, FIN"),
        Opt("tcp-flags", _flags, "flags", invert=True, once=FLAGS_TWICE, ident=52, metavar="mask comp",
            help="of the flags in MASK exactly those in COMP are set"),
        Opt("tcp-option", _option, invert=True, once="Only one `--tcp-option' allowed", ident=53, metavar="number",
            help="the option of this kind is there"),
    )  # fmt: skip

    option: int = 0
    not_option: bool = False
    flags: tuple[int, int] = (0, 0)
    not_flags: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        out = cls.with_ports(given)
        if g := given.get("flags"):
            out = replace(out, flags=(0x17, 2) if g.value is True else g.value, not_flags=g.inverted)
        if g := given.get("tcp-option"):
            out = replace(out, option=g.value, not_option=g.inverted)
        return out

    def save(self, base: Base) -> str:
        out = self.saved_ports(base)
        if self.option or self.not_option:
            out += f"{' !' if self.not_option else ''} --tcp-option {self.option}"
        return out + self._save_flags()

    def _save_flags(self) -> str:
        if not (self.flags[0] or self.not_flags):
            return ""
        mask, compare = map(_show_flags, self.flags)
        return f"{' !' if self.not_flags else ''} --tcp-flags {mask} {compare}"

    def listing(self, numeric: bool, base: Base) -> str:
        out = " tcp" + self.listed_ports(numeric)
        if self.option or self.not_option:
            out += f" option={'!' if self.not_option else ''}{self.option}"
        mask, compare = self.flags
        if mask or self.not_flags:
            sign = "!" if self.not_flags else ""
            shown = f"0x{mask:02X}/0x{compare:02X}" if numeric else f"{_show_flags(mask)}/{_show_flags(compare)}"
            out += f" flags:{sign}{shown}"
        return out

    def translate(self, base: Base) -> str:
        words = nft.ports("tcp sport", self.sports, self.not_sports, all_of_them=False)
        words += nft.ports("tcp dport", self.dports, self.not_dports, all_of_them=False)
        if self.option:
            words.append(f"tcp option {self.option} {'missing' if self.not_option else 'exists'}")
        mask, compare = self.flags
        if mask or self.not_flags:
            words.append(f"tcp flags {nft.unless(self.not_flags)}{_nft_flags(compare)} / {_nft_flags(mask)}")
        return " ".join(words) or "meta l4proto tcp"

    def is_native(self) -> bool:
        if self.option or self.not_option:
            return False
        return self.asks_ports() or self.flags != (0, 0) or self.not_flags

    def joined(self, later: Match) -> Self | None:
        out = super(Tcp, self).joined(later)
        if out is not None and isinstance(later, Tcp) and (later.flags != (0, 0) or later.not_flags):
            out = replace(out, flags=later.flags, not_flags=later.not_flags)
        return out

    def region(self, base: Base) -> Region:
        clauses = []
        if self.flags[0] or self.not_flags:
            mask, wanted = self.flags
            clauses.append(masked("tcp_flags", wanted, mask, self.not_flags, self._save_flags().strip()))
        # nft reads the bytes that are there; xt_tcpudp wants the whole header or drops the packet
        native = base.personality == "nft" and self.is_native()
        header = Header(0, hotdrop=False, raw=True) if native else Header(20, evil=base.family == 4)
        return self.port_region(base, clauses, header)

    def compile(self, cx: Compile) -> Test:
        plain = self.region(cx.base).test()
        if not (self.option or self.not_option):
            return plain

        def test(pkt: Packet, ctx: Context) -> bool:
            return plain(pkt, ctx) and _has_option(pkt, self.option) is not self.not_option and not pkt.hotdrop

        return test


def _has_option(pkt: Packet, wanted: int) -> bool:
    """Whether the segment carries the option; hotdrops what xt_tcpudp's tcp_find_option cannot read."""
    length = (pkt.data[pkt.l4 + 12] >> 4) * 4
    if length < 20:
        pkt.hotdrop = True
        return False
    options = pkt.data[pkt.l4 + 20 : pkt.l4 + length]
    if len(options) < length - 20:
        pkt.hotdrop = True
        return False
    at = 0
    while at < len(options):
        if options[at] == wanted:
            return True
        at += 1 if options[at] < 2 else (options[at + 1] if at + 1 < len(options) else 0) or 1
    return False


EXTENSIONS = (Tcp,)
