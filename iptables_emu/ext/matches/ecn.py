"""ecn: the congestion bits of the IP and TCP headers (kernel: xt_ecn.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

TCP = 6
CODEPOINTS = ("not-ect", "ect1", "ect0", "ce")
ECE, CWR = 0x40, 0x80  # of the byte of TCP flags
TCP_HEADER, FLAGS_AT = 20, 13


@dataclass(frozen=True, slots=True)
class Ecn(Match):
    """``ece`` and ``cwr`` are whether the bit must be set, ``ect`` the IP codepoint; None asks nothing."""

    NAME: ClassVar[str] = "ecn"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("ecn-tcp-cwr", invert=True, help="the CWR bit of the TCP header is set"),
        Opt("ecn-tcp-ece", invert=True, help="the ECE bit of the TCP header is set"),
        Opt("ecn-ip-ect", uint(8, 0, 3), invert=True, metavar="codepoint",
            help="ECN codepoint of the IP header, 0 to 3"),
    )  # fmt: skip

    ece: bool | None = None
    cwr: bool | None = None
    ect: int | None = None
    not_ect: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("ECN match: some option required")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        ece, cwr, ect = given.get("ecn-tcp-ece"), given.get("ecn-tcp-cwr"), given.get("ecn-ip-ect")
        return cls(not ece.inverted if ece else None, not cwr.inverted if cwr else None,
                   ect.value if ect else None, bool(ect and ect.inverted))  # fmt: skip

    def save(self, base: Base) -> str:
        return "".join(f"{' !' if inverted else ''} --ecn-{option}" for option, _, inverted in self._items())

    def listing(self, numeric: bool, base: Base) -> str:
        return " ECN match" + "".join(f" {'!' if inverted else ''}{word}" for _, word, inverted in self._items())

    def translate(self, base: Base) -> str:
        """One inverted option inverts them all, as upstream has it."""
        sign = nft.unless(self.ece is False or self.cwr is False or self.not_ect)
        words = [] if self.ece is None else [f"tcp flags {sign}ecn"]
        words += [] if self.cwr is None else [f"tcp flags {sign}cwr"]
        words += [] if self.ect is None else [f"ip ecn {sign}{CODEPOINTS[self.ect]}"]
        return " ".join(words)

    def _items(self) -> Iterator[tuple[str, str, bool]]:
        if self.ece is not None:
            yield "tcp-ece", "ECE", not self.ece
        if self.cwr is not None:
            yield "tcp-cwr", "CWR", not self.cwr
        if self.ect is not None:
            yield f"ip-ect {self.ect}", f"ECT={self.ect}", self.not_ect

    def refused(self, place: Place) -> str | None:
        asks_tcp = self.ece is not None or self.cwr is not None
        is_tcp = place.base.proto == TCP and not place.base.proto_inverted
        return "EINVAL" if asks_tcp and not is_tcp else None

    def compile(self, cx: Compile) -> Test:
        ect, not_ect = self.ect, self.not_ect
        tcp = _tcp_test(self.ece, self.cwr)

        def test(pkt: Packet, ctx: Context) -> bool:
            if ect is not None and (pkt.tos & 3 == ect) is not_ect:
                return False
            return tcp(pkt)

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        flags = pkt.transport(TCP_HEADER) if self.ece is not None or self.cwr is not None else None
        have = f"ECN {pkt.tos & 3}" + (f", flags 0x{flags[FLAGS_AT]:02x}" if flags else "")
        return self.save(base).strip(), have


def _tcp_test(ece: bool | None, cwr: bool | None) -> Callable[[Packet], bool]:
    mask = (ECE if ece is not None else 0) | (CWR if cwr is not None else 0)
    wanted = (ECE if ece else 0) | (CWR if cwr else 0)

    def test(pkt: Packet) -> bool:
        if not mask:
            return True
        # the bytes at this place, of a later fragment too, where IPv6 has the packet's beginning for its header's; a
        # short header does not hotdrop here
        start = 0 if pkt.family == 6 and pkt.frag_offset else pkt.l4
        if len(pkt.data) - start < TCP_HEADER:
            return False
        return pkt.data[start + FLAGS_AT] & mask == wanted

    return test


EXTENSIONS = (Ecn,)
