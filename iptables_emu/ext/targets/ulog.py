"""ULOG: pass the packet to a listener in user space, NFLOG's forerunner (kernel: ipt_ULOG.c, until Linux 3.16)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.numbers import U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import save_string, string, uint
from iptables_emu.trace.events import Recorded

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

_text = string(low=1, size=32)


def _prefix(text: str, cx: OptionContext) -> str:
    value: str = _text(text, cx)
    if "\n" in text:
        raise ParameterProblem("Newlines not allowed in --ulog-prefix")
    return value


@dataclass(frozen=True, slots=True)
class Ulog(Target):
    """``group`` 1 to 32; ``size`` bytes are copied, 0 for all. Today's kernels have it no more."""

    NAME: ClassVar[str] = "ULOG"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("ulog-nlgroup", uint(8, 1, 32), metavar="nlgroup", help="Netlink group of the listener", ident=0),
        Opt("ulog-prefix", _prefix, metavar="prefix", help="Text that goes along", ident=1),
        Opt("ulog-cprange", uint(64), metavar="size", help="Bytes of the packet to copy", ident=2),
        Opt("ulog-qthreshold", uint(64, 1, 50), metavar="packets",
            help="Packets to gather before the listener is woken", ident=3),
    )  # fmt: skip

    group: int = 1
    prefix: str = ""
    size: int = 0
    threshold: int = 1

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        def of(name: str, default: int) -> int:
            return int(given[name].value) if name in given else default

        prefix = given["ulog-prefix"].value if "ulog-prefix" in given else ""
        return cls(of("ulog-nlgroup", 1), prefix, of("ulog-cprange", 0), of("ulog-qthreshold", 1))

    def save(self, base: Base) -> str:
        out = f" --ulog-prefix{save_string(self.prefix)}" if self.prefix else ""
        out += f" --ulog-nlgroup {self.group}" if self.group != 1 else ""
        out += f" --ulog-cprange {self.size & U32}" if self.size else ""
        return out + (f" --ulog-qthreshold {self.threshold}" if self.threshold != 1 else "")

    def listing(self, numeric: bool, base: Base) -> str:
        prefix = f' prefix "{self.prefix}"' if self.prefix else ""
        return f" ULOG copy_range {self.size & U32} nlgroup {self.group}{prefix} queue_threshold {self.threshold}"

    def compile(self, cx: Compile) -> Action:
        text = f"ULOG nlgroup {self.group}" + (f" prefix{save_string(self.prefix)}" if self.prefix else "")

        def act(pkt: Packet, ctx: Context) -> Flow:
            ctx.note(pkt, "ULOG: removed in Linux 3.17; shown as it worked before, use NFLOG today")
            ctx.emit(Recorded(pkt.number, text))
            return Flow.CONTINUE

        return act


EXTENSIONS = (Ulog,)
