"""MARK: change the packet's mark (kernel: xt_mark.c, revision 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.numbers import U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import others
from iptables_emu.options.types import mark_mask, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

KEYS = ("set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark")


@dataclass(frozen=True, slots=True)
class MarkTarget(Target):
    """``mark = (mark & ~mask) ^ value``."""

    NAME: ClassVar[str] = "MARK"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("set-xmark", mark_mask, excludes=others(KEYS, "set-xmark"), metavar="value[/mask]",
            help="clear the bits of MASK, then flip those of VALUE"),
        Opt("set-mark", mark_mask, excludes=others(KEYS, "set-mark"), metavar="value[/mask]",
            help="clear the bits of MASK, then set those of VALUE"),
        Opt("and-mark", uint(32), excludes=others(KEYS, "and-mark"), metavar="bits", help="keep only these bits"),
        Opt("or-mark", uint(32), excludes=others(KEYS, "or-mark"), metavar="bits", help="set these bits"),
        Opt("xor-mark", uint(32), excludes=others(KEYS, "xor-mark"), metavar="bits", help="flip these bits"),
    )  # fmt: skip

    value: int
    mask: int

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        key, g = list(given.items())[-1]
        if key == "set-xmark":
            return cls(*g.value)
        if key == "set-mark":
            value, mask = g.value
            return cls(value, value | mask)
        if key == "and-mark":
            return cls(0, ~g.value & U32)
        return cls(g.value, g.value if key == "or-mark" else 0)

    def save(self, base: Base) -> str:
        return f" --set-xmark 0x{self.value:x}/0x{self.mask:x}"

    def listing(self, numeric: bool, base: Base) -> str:
        if self.value == 0:
            return f" MARK and 0x{~self.mask & U32:x}"
        if self.value == self.mask:
            return f" MARK or 0x{self.value:x}"
        if self.mask == 0:
            return f" MARK xor 0x{self.value:x}"
        if self.mask == U32:
            return f" MARK set 0x{self.value:x}"
        return f" MARK xset 0x{self.value:x}/0x{self.mask:x}"

    def translate(self, base: Base) -> str:
        value, kept = self.value, ~self.mask & U32
        if not kept:
            text = f"0x{value:x}"
        elif not value:
            text = f"mark and 0x{kept:x}"
        elif value == self.mask:
            text = f"mark or 0x{value:x}"
        else:
            text = f"mark and 0x{kept:x} xor 0x{value:x}" if self.mask else f"mark xor 0x{value:x}"
        return f"meta mark set {text} "

    def compile(self, cx: Compile) -> Action:
        keep, value = ~self.mask & U32, self.value

        def act(pkt: Packet, ctx: Context) -> Flow:
            ctx.set_mark(pkt, pkt.mark & keep ^ value)
            return Flow.CONTINUE

        return act


EXTENSIONS = (MarkTarget,)
