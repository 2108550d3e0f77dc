"""CLASSIFY: set the packet's priority, for queueing disciplines (kernel: xt_CLASSIFY.c)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.numbers import U32, U64
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

_HEX = r"\s*([+-]?)(?:0[xX])?([0-9a-fA-F]+)"
_CLASS = re.compile(f"{_HEX}:{_HEX}", re.ASCII)  # what sscanf("%x:%x") takes; it ignores the rest


def _class(text: str, cx: OptionContext) -> int:
    found = _CLASS.match(text)
    if found is None:
        raise ParameterProblem(f'Bad class value "{text}"')
    major, minor = (_scanned(found[i], found[i + 1]) for i in (1, 3))
    return (major << 16 & U32) | (minor & 0xFFFF)


def _scanned(sign: str, digits: str) -> int:
    value = min(int(digits, 16), U64)
    return (-value if sign == "-" else value) & U32


@dataclass(frozen=True, slots=True)
class Classify(Target):
    """``priority`` is MAJOR in the high and MINOR in the low 16 bits."""

    NAME: ClassVar[str] = "CLASSIFY"
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"FORWARD", "OUTPUT", "POSTROUTING"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("set-class", _class, mandatory=True, metavar="MAJOR:MINOR", help="Priority to set, both in hexadecimal"),
    )

    priority: int

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["set-class"].value)

    def save(self, base: Base) -> str:
        return f" --set-class {self.priority >> 16:04x}:{self.priority & 0xFFFF:04x}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" CLASSIFY set {self.priority >> 16:x}:{self.priority & 0xFFFF:x}"

    def translate(self, base: Base) -> str:
        words = {0xFFFFFFFF: "root", 0: "none"}
        handle = words.get(self.priority) or f"{self.priority >> 16:x}:{self.priority & 0xFFFF:x}"
        return f"meta priority set {handle}"

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Flow:
            before, pkt.priority = pkt.priority, self.priority
            ctx.rewrote(pkt, "priority", f"0x{before:x}", f"0x{pkt.priority:x}")
            return Flow.CONTINUE

        return act


EXTENSIONS = (Classify,)
