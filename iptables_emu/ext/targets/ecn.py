"""ECN: change the ECN bits of the TCP and IPv4 headers (kernel: ipt_ECN.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Place, Target, Verdict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import uint
from iptables_emu.packet.packet import TCP

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

ECE, CWR = 0x40, 0x80


@dataclass(frozen=True, slots=True)
class Ecn(Target):
    """None of a field means that this bit (or code point) is not set."""

    NAME: ClassVar[str] = "ECN"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("ecn-tcp-remove", excludes=("ecn-tcp-cwr", "ecn-tcp-ece"), help="Clear both ECN bits of the TCP header"),
        Opt("ecn-tcp-cwr", uint(8, 0, 1), excludes=("ecn-tcp-remove",), metavar="0|1", help="Set the CWR bit"),
        Opt("ecn-tcp-ece", uint(8, 0, 1), excludes=("ecn-tcp-remove",), metavar="0|1", help="Set the ECE bit"),
        Opt("ecn-ip-ect", uint(8, 0, 3), metavar="0-3", help="Set the ECT code point of the IPv4 header"),
    )

    ece: int | None = None
    cwr: int | None = None
    ect: int | None = None

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("ECN target: An operation is required")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        out = cls()
        for name, g in given.items():
            if name == "ecn-tcp-remove":
                out = replace(out, ece=0, cwr=0, ect=None)  # forgets an --ecn-ip-ect before it
            elif name == "ecn-tcp-cwr":
                out = replace(out, cwr=g.value)
            elif name == "ecn-tcp-ece":
                out = replace(out, ece=g.value)
            else:
                out = replace(out, ect=g.value)
        return out

    @property
    def removes(self) -> bool:
        """Both bits of TCP are cleared and nothing else is done."""
        return (self.ece, self.cwr, self.ect) == (0, 0, None)

    def save(self, base: Base) -> str:
        if self.removes:
            return " --ecn-tcp-remove"
        fields = (("ecn-tcp-ece", self.ece), ("ecn-tcp-cwr", self.cwr), ("ecn-ip-ect", self.ect))
        return "".join(f" --{name} {value}" for name, value in fields if value is not None)

    def listing(self, numeric: bool, base: Base) -> str:
        if self.removes:
            return " ECN TCP remove"
        fields = (("ECE", self.ece), ("CWR", self.cwr), ("ECT codepoint", self.ect))
        return " ECN" + "".join(f" {name}={value}" for name, value in fields if value is not None)

    def refused(self, place: Place) -> str | None:
        """The bits of TCP want a rule with -p tcp."""
        touches_tcp = self.ece is not None or self.cwr is not None
        return "EINVAL" if touches_tcp and (place.base.proto != TCP or place.base.proto_inverted) else None

    def compile(self, cx: Compile) -> Action:
        wanted = {bit: value for bit, value in ((ECE, self.ece), (CWR, self.cwr)) if value is not None}

        def act(pkt: Packet, ctx: Context) -> Flow | Verdict:
            if self.ect is not None:
                ctx.set_tos(pkt, pkt.tos & ~3 | self.ect)
            if not wanted or pkt.proto != TCP:
                return Flow.CONTINUE
            # the kernel does not ask for the fragment offset here
            if len(pkt.data) - pkt.l4 < 20:
                return Verdict.DROP
            pkt.pull(20)
            before = after = pkt.data[pkt.l4 + 13]
            for bit, value in wanted.items():
                after = after & ~bit | (bit if value else 0)
            if after != before:
                pkt.set_l4(12, bytes((pkt.data[pkt.l4 + 12], after)))
                ctx.rewrote(pkt, "tcp flags", f"0x{before:02x}", f"0x{after:02x}")
            return Flow.CONTINUE

        return act


EXTENSIONS = (Ecn,)
