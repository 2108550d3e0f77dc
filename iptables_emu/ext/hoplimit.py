"""TTL and HL: the same target for the two families (kernel: xt_HL.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

WORDS = {"set": "set to", "dec": "decrement by", "inc": "increment by"}


def options(prefix: str, field: str) -> tuple[Opt, ...]:
    """``--PREFIX-set``, ``-dec``, ``-inc``, of which one is wanted."""

    def row(mode: str, ident: int, help: str) -> Opt:
        others = tuple(f"{prefix}-{other}" for other in WORDS if other != mode)
        least = 0 if mode == "set" else 1
        return Opt(f"{prefix}-{mode}", uint(8, least), excludes=others, metavar="value", help=help, ident=ident)

    return (
        row("set", 0, f"Set the {field} to the value"),
        row("dec", 2, f"Subtract the value from the {field}"),
        row("inc", 1, f"Add the value to the {field}"),
    )


@dataclass(frozen=True, slots=True)
class HopTarget(Target):
    """``mode`` is set, dec or inc."""

    mode: str
    value: int

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem(f"{cls.NAME}: You must specify an action")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        name, g = next(iter(given.items()))
        return cls(name.rpartition("-")[2], g.value)

    def save(self, base: Base) -> str:
        return f" --{self.NAME.lower()}-{self.mode} {self.value}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" {self.NAME} {WORDS[self.mode]} {self.value}"

    def compile(self, cx: Compile) -> Action:
        step = {"set": 0, "dec": -self.value, "inc": self.value}[self.mode]

        def act(pkt: Packet, ctx: Context) -> Flow:
            before = pkt.ttl
            after = min(max(before + step, 0), 255) if step else self.value
            if after != before:
                pkt.set_ttl(after)
                ctx.rewrote(pkt, "ttl" if pkt.family == 4 else "hl", before, after)
            return Flow.CONTINUE

        return act
