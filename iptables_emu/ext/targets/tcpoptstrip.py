"""TCPOPTSTRIP: overwrite TCP options by NOPs (kernel: xt_TCPOPTSTRIP.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target, Verdict
from iptables_emu.ext.tcp_options import NOP, steps
from iptables_emu.options.numbers import strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

NAMES = {"wscale": 3, "mss": 2, "sack-permitted": 4, "sack": 5, "timestamp": 8, "md5": 19}
NAME_OF = {value: name for name, value in NAMES.items()}


def _kinds(text: str, cx: OptionContext) -> tuple[int, ...]:
    out: set[int] = set()
    for word in text.split(","):
        kind = NAMES.get(word)
        if kind is None:
            kind = strict(word, 0, 255)
        if kind is None:
            raise ParameterProblem(f'Bad TCP option value "{word}"')
        if kind < 2:
            raise ParameterProblem("Option value may not be 0 or 1")
        if kind in out:
            raise ParameterProblem(f'Option "{word}" already specified')
        out.add(kind)
    return tuple(sorted(out))


@dataclass(frozen=True, slots=True)
class Tcpoptstrip(Target):
    """``kinds`` are the numbers of the options, in order; it may be empty."""

    NAME: ClassVar[str] = "TCPOPTSTRIP"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle"})
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({6})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("strip-options", _kinds, metavar="option[,option...]", help=f"Numbers, or of {', '.join(NAMES)}"),
    )

    kinds: tuple[int, ...] = ()

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["strip-options"].value if "strip-options" in given else ())

    def save(self, base: Base) -> str:
        return f" --strip-options {','.join(map(str, self.kinds))}" if self.kinds else ""

    def listing(self, numeric: bool, base: Base) -> str:
        if not self.kinds:
            return ""
        return " TCPOPTSTRIP options " + ",".join(str(k) if numeric else NAME_OF.get(k, str(k)) for k in self.kinds)

    def compile(self, cx: Compile) -> Action:
        kinds = frozenset(self.kinds)

        def act(pkt: Packet, ctx: Context) -> Flow | Verdict:
            if pkt.frag_offset:
                return Flow.CONTINUE
            segment = bytes(pkt.data[pkt.l4 :])
            header = (segment[12] >> 4) * 4 if len(segment) >= 20 else 0
            if pkt.truncated or not 20 <= header <= len(segment):
                return Verdict.DROP
            pkt.pull(header)
            for at, size in steps(segment, header - 1):
                if at + size > header:
                    break
                if segment[at] in kinds:
                    _blank(pkt, at, size)
                    ctx.rewrote(pkt, "tcp option", segment[at : at + size].hex(), bytes((NOP,) * size).hex())
            return Flow.CONTINUE

        return act


def _blank(pkt: Packet, at: int, size: int) -> None:
    start = at & ~1
    end = at + size + (at + size & 1)
    new = bytearray(pkt.data[pkt.l4 + start : pkt.l4 + end])
    new[at - start : at - start + size] = bytes((NOP,) * size)
    pkt.set_l4(start, bytes(new))


EXTENSIONS = (Tcpoptstrip,)
