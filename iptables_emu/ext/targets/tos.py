"""TOS: change the TOS byte or traffic class (kernel: xt_DSCP.c, TOS revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.numbers import U8
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import others
from iptables_emu.options.types import TOS_NAMES, tos_mask, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

KEYS = ("set-tos", "and-tos", "or-tos", "xor-tos")
SYMBOL_MASK = 0x3F


@dataclass(frozen=True, slots=True)
class Tos(Target):
    """``tos = (tos & ~mask) ^ value``."""

    NAME: ClassVar[str] = "TOS"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("set-tos", tos_mask(SYMBOL_MASK), excludes=others(KEYS, "set-tos"), metavar="value[/mask]|symbol",
            help="Clear the mask's bits in the TOS and XOR the value into it"),
        Opt("and-tos", uint(8), excludes=others(KEYS, "and-tos"), metavar="bits", help="Binary AND the TOS with bits"),
        Opt("or-tos", uint(8), excludes=others(KEYS, "or-tos"), metavar="bits", help="Binary OR the TOS with bits"),
        Opt("xor-tos", uint(8), excludes=others(KEYS, "xor-tos"), metavar="bits", help="Binary XOR the TOS with bits"),
    )  # fmt: skip

    value: int
    mask: int

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("TOS: An action is required")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        key, g = next(iter(given.items()))
        if key == "set-tos":
            return cls(*g.value)
        if key == "and-tos":
            return cls(0, ~g.value & U8)
        return cls(g.value, g.value if key == "or-tos" else 0)

    def save(self, base: Base) -> str:
        return f" --set-tos 0x{self.value:02x}/0x{self.mask:02x}"

    def listing(self, numeric: bool, base: Base) -> str:
        exact = f" TOS set 0x{self.value:02x}/0x{self.mask:02x}"
        if numeric:
            return exact
        name = next((name for name, value in TOS_NAMES if value == self.value), None)
        if self.mask == SYMBOL_MASK and name is not None:
            return f"  TOS set{name}"  # the blanks are upstream's
        if self.value == 0:
            return f" TOS and 0x{~self.mask & U8:02x}"
        if self.value == self.mask:
            return f" TOS or 0x{self.value:02x}"
        if self.mask == 0:
            return f" TOS xor 0x{self.value:02x}"
        return exact

    def translate(self, base: Base) -> str:
        """Upstream says ip6 for both families."""
        value, kept = f"0x{self.value >> 2:02x}", f"0x{(~self.mask & U8) >> 2:02x}"
        if self.mask & SYMBOL_MASK == SYMBOL_MASK:
            return f"ip6 dscp set {value}"
        if not self.value:
            return f"ip6 dscp set ip6 dscp and {kept}"
        if self.value == self.mask:
            return f"ip6 dscp set ip6 dscp or {value}"
        return f"ip6 dscp set ip6 dscp {f'and {kept} ' if self.mask else ''}xor {value}"

    def compile(self, cx: Compile) -> Action:
        keep, value = ~self.mask & U8, self.value

        def act(pkt: Packet, ctx: Context) -> Flow:
            ctx.set_tos(pkt, pkt.tos & keep ^ value)
            return Flow.CONTINUE

        return act


EXTENSIONS = (Tos,)
