"""connlabel: labels of a connection (kernel: xt_connlabel.c). Labels have numbers only: there is no file of names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.conntrack.record import IPCT_LABEL
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.ext.cnumbers import strtoul
from iptables_emu.options.numbers import U16
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import string

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

MAX_BIT = 127  # XT_CONNLABEL_MAXBIT
NO_FILE = "Warning: cannot open /etc/xtables/connlabel.conf: No such file or directory\n"

_text = string(low=1)


def _label(text: str, cx: OptionContext) -> int:
    _text(text, cx)
    value, rest = strtoul(text)
    if rest or value & 1 << 31:  # an int that is negative is no label
        cx.warnings.append(NO_FILE)
        raise ParameterProblem(f"label '{text}' not found or invalid value")
    return value & U16


@dataclass(frozen=True, slots=True)
class Connlabel(Match):
    """``sets``: the label is set when it is not there, and then the match holds."""

    NAME: ClassVar[str] = "connlabel"
    REMARK: ClassVar[str] = NO_FILE
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("label", _label, invert=True, mandatory=True, metavar="label", help="the connection has the label"),
        Opt("set", None, help="give the connection the label"),
    )

    bit: int
    inverted: bool = False
    sets: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["label"].value, given["label"].inverted, "set" in given)

    def save(self, base: Base) -> str:
        return f'{" !" if self.inverted else ""} --label "{self.bit}"{" --set" if self.sets else ""}'

    def listing(self, numeric: bool, base: Base) -> str:
        return f" connlabel{' !' if self.inverted else ''} {self.bit}{' set' if self.sets else ''}"

    def translate(self, base: Base) -> str:
        label = f"ct label {f'and {self.bit} != ' if self.inverted else ''}{self.bit}"
        return f"ct label set {self.bit} {label}" if self.sets else label

    def refused(self, place: Place) -> str | None:
        return "ERANGE" if self.bit > MAX_BIT else None

    def compile(self, cx: Compile) -> Test:
        label = 1 << self.bit

        def test(pkt: Packet, ctx: Context) -> bool:
            if pkt.ct is None or pkt.ct.template:  # which has no room for labels
                return self.inverted
            if self.sets and not pkt.ct.labels & label:
                pkt.ct.labels |= label
                pkt.ct.events |= IPCT_LABEL
            return bool(pkt.ct.labels & label) is not self.inverted

        return test


EXTENSIONS = (Connlabel,)
