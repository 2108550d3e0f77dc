"""NFLOG: pass the packet to a listener in user space and go on (kernel: xt_NFLOG.c; iptables-nft: nft_log.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import save_string, string, uint
from iptables_emu.trace.events import Recorded

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

# room for the prefix: in struct xt_nflog_info, and in nft's own log expression
PREFIX_SIZE = {"legacy": 64, "translate": 64, "nft": 128}


def _prefix(text: str, cx: OptionContext) -> str:
    value: str = string(low=1, size=PREFIX_SIZE[cx.base.personality])(text, cx)
    if "\n" in text:
        raise ParameterProblem("Newlines not allowed in --log-prefix")
    return value


RANGE_IGNORED = "warn: --nflog-range has never worked and is no longer supported, please use --nflog-size instead\n"


@dataclass(frozen=True, slots=True)
class Nflog(Target):
    """``size`` bytes are copied if ``sized``; else it is what --nflog-range said, which the kernel ignores."""

    NAME: ClassVar[str] = "NFLOG"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("nflog-group", uint(16), metavar="NUM", help="Netlink group of the listener"),
        Opt("nflog-prefix", _prefix, metavar="STRING", help="Text that goes along"),
        Opt("nflog-range", uint(32), excludes=("nflog-size",), metavar="NUM", help="Without effect: use --nflog-size"),
        Opt("nflog-size", uint(32), excludes=("nflog-range",), metavar="NUM", help="Bytes of the packet to copy"),
        Opt("nflog-threshold", uint(16), metavar="NUM", help="Packets to gather before the listener is woken"),
    )

    group: int = 0
    prefix: str = ""
    size: int = 0
    sized: bool = False
    threshold: int = 0

    @classmethod
    def warned(cls, given: Gathered) -> Sequence[str]:
        return (RANGE_IGNORED,) if "nflog-range" in given else ()

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        def of(name: str) -> int:
            return int(given[name].value) if name in given else 0

        return cls(
            of("nflog-group"),
            given["nflog-prefix"].value if "nflog-prefix" in given else "",
            of("nflog-size") or of("nflog-range"),
            "nflog-size" in given,
            of("nflog-threshold"),
        )

    def _text(self, dash: str) -> str:
        out = f" {dash}nflog-prefix{save_string(self.prefix)}" if self.prefix else ""
        out += f" {dash}nflog-group {self.group}" if self.group else ""
        if self.sized:
            out += f" {dash}nflog-size {self.size}"
        elif self.size:
            out += f" {dash}nflog-range {self.size}"
        return out + (f" {dash}nflog-threshold {self.threshold}" if self.threshold else "")

    def save(self, base: Base) -> str:
        return self._text("--")

    def listing(self, numeric: bool, base: Base) -> str:
        return self._text("")

    def translate(self, base: Base) -> str:
        out = "log " + (f'prefix "{self.prefix}" ' if self.prefix else "")
        out += f"snaplen {self.size} " if self.sized else ""
        return f"{out}{f'queue-threshold {self.threshold} ' if self.threshold else ''}group {self.group} "

    def native(self, base: Base) -> Self:
        """nft's log expression has no place for --nflog-range."""
        return self if self.sized else replace(self, size=0)

    def compile(self, cx: Compile) -> Action:
        text = f"NFLOG group {self.group}" + (f" prefix{save_string(self.prefix)}" if self.prefix else "")

        def act(pkt: Packet, ctx: Context) -> Flow:
            ctx.emit(Recorded(pkt.number, text))
            return Flow.CONTINUE

        return act


EXTENSIONS = (Nflog,)
