"""LOG: write the packet into the kernel's log and go on (kernel: xt_LOG.c, nf_log_syslog.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import save_string, string, syslog_level
from iptables_emu.packet.log_line import IPOPT, MACDECODE, TCPOPT, TCPSEQ, UID, log_line

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

PREFIX_SIZE = 30  # of struct xt_log_info, with the final NUL
WARNING = 4
# (option, its bit), in the order of saved rules
FLAGS = (
    ("log-tcp-sequence", TCPSEQ),
    ("log-tcp-options", TCPOPT),
    ("log-ip-options", IPOPT),
    ("log-uid", UID),
    ("log-macdecode", MACDECODE),
)
LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_text = string(low=1, size=PREFIX_SIZE)


def _prefix(text: str, cx: OptionContext) -> str:
    value: str = _text(text, cx)
    if "\n" in text:
        raise ParameterProblem("Newlines not allowed in --log-prefix")
    return value


@dataclass(frozen=True, slots=True)
class Log(Target):
    """``flags`` are the NF_LOG_* bits; the level does not show in the line."""

    NAME: ClassVar[str] = "LOG"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("log-level", syslog_level, metavar="level", help="Level of the message: number or syslog name", ident=6),
        Opt("log-prefix", _prefix, metavar="prefix", help="Text before the message", ident=7),
        Opt("log-tcp-sequence", help="Show TCP sequence numbers", ident=0),
        Opt("log-tcp-options", help="Show TCP options", ident=1),
        Opt("log-ip-options", help="Show IP options", ident=2),
        Opt("log-uid", help="Show the user of the local socket", ident=3),
        Opt("log-macdecode", help="Show MAC addresses and protocol by name", ident=5),
    )

    prefix: str = ""
    level: int = WARNING
    flags: int = 0

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(
            given["log-prefix"].value if "log-prefix" in given else "",
            given["log-level"].value if "log-level" in given else WARNING,
            sum(bit for name, bit in FLAGS if name in given),
        )

    def save(self, base: Base) -> str:
        out = f" --log-prefix{save_string(self.prefix)}" if self.prefix else ""
        if self.level != WARNING:
            out += f" --log-level {self.level}"
        return out + "".join(f" --{name}" for name, bit in FLAGS if self.flags & bit)

    def listing(self, numeric: bool, base: Base) -> str:
        if numeric:
            out = f" LOG flags {self.flags} level {self.level}"
        else:
            out = f" LOG level {LEVELS[self.level]}"
            out += "".join(f" {name.removeprefix('log-')}" for name, bit in FLAGS if self.flags & bit)
        return out + (f' prefix "{self.prefix}"' if self.prefix else "")

    def translate(self, base: Base) -> str:
        out = "log" + (f' prefix "{self.prefix}"' if self.prefix else "")
        out += f" level {LEVELS[self.level]}" if self.level != WARNING else ""
        if self.flags == TCPSEQ | TCPOPT | IPOPT | UID | MACDECODE:
            return f"{out} flags all"
        tcp = ",".join(word for word, bit in (("sequence", TCPSEQ), ("options", TCPOPT)) if self.flags & bit)
        out += f" flags tcp {tcp}" if tcp else ""
        rest = (IPOPT, "ip options"), (UID, "skuid"), (MACDECODE, "ether")
        return out + "".join(f" flags {word}" for bit, word in rest if self.flags & bit)

    def compile(self, cx: Compile) -> Action:
        prefix, flags = self.prefix, self.flags

        def act(pkt: Packet, ctx: Context) -> Flow:
            ctx.log(pkt, log_line(pkt, ctx, prefix, flags))
            return Flow.CONTINUE

        return act


EXTENSIONS = (Log,)
