"""AUDIT: a record for the audit daemon (kernel: xt_AUDIT.c)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.model.address import show
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.trace.events import Recorded

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


NETFILTER_PKT: Final = 1324
SECOND: Final = 1_000_000_000
TYPES: Final = ("accept", "drop", "reject")


def _type(text: str, cx: OptionContext) -> str:
    word = text.lower()
    if word not in TYPES:
        raise ParameterProblem(f'Bad action type value "{text}"')
    return word


@dataclass(frozen=True, slots=True)
class Audit(Target):
    """The packet goes on. The record does not say what ``action`` is; none is made while auditing is off, as it is
    where the host does not say ``audit = true``."""

    NAME: ClassVar[str] = "AUDIT"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("type", _type, mandatory=True, metavar="{accept|drop|reject}", help="what the record says of the packet"),
    )

    action: str

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["type"].value)

    def save(self, base: Base) -> str:
        return f" --type {self.action}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" AUDIT {self.action}"

    def translate(self, base: Base) -> str:
        return "log level audit"

    def compile(self, cx: Compile) -> Action:
        serial = cx.shared.setdefault(("AUDIT", "serial"), itertools.count(1))

        def act(pkt: Packet, ctx: Context) -> Flow:
            if ctx.host.audit:
                seconds, rest = divmod(ctx.now, SECOND)
                ends = f"saddr={show(pkt.src, pkt.family)} daddr={show(pkt.dst, pkt.family)} proto={pkt.proto}"
                stamp = f"audit({seconds}.{rest // 1_000_000:03}:{next(serial)})"
                ctx.emit(Recorded(pkt.number, f"audit: type={NETFILTER_PKT} {stamp}: mark=0x{pkt.mark:x} {ends}"))
            return Flow.CONTINUE

        return act


EXTENSIONS = (Audit,)
