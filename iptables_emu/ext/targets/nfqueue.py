"""NFQUEUE: let a program in user space decide (kernel: xt_NFQUEUE.c, revision 3; nf_queue.h)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.conntrack.jhash import jhash2, words_of
from iptables_emu.ext.api import Action, Base, Compile, Gathered, Opt, Place, Target, Verdict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import uint, uint_range

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

_range = uint_range(16, 0, 65534)


def _balance(text: str, cx: OptionContext) -> tuple[int, int]:
    values: tuple[int, ...] = _range(text, cx)
    if len(values) != 2:
        raise ParameterProblem(f'Bad range "{text}"')
    if values[0] >= values[1]:
        raise ParameterProblem(f"{values[0]} should be less than {values[1]}")
    return values[0], values[1]


@dataclass(frozen=True, slots=True)
class Nfqueue(Target):
    """Queues ``first`` to ``last``. By ``fanout`` the processor chooses, which the host may say; a hash with a random
    seed chooses otherwise."""

    NAME: ClassVar[str] = "NFQUEUE"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("queue-num", uint(16), excludes=("queue-balance",), metavar="value", help="Number of the queue"),
        Opt("queue-balance", _balance, excludes=("queue-num",), metavar="first:last", help="Spread over these queues"),
        Opt("queue-bypass", help="Go on when nobody listens to the queue"),
        Opt("queue-cpu-fanout", also=("queue-balance",), help="Choose the queue by the CPU, not by a hash"),
    )

    first: int = 0
    last: int = 0
    bypass: bool = False
    fanout: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        first = last = given["queue-num"].value if "queue-num" in given else 0
        if "queue-balance" in given:
            first, last = given["queue-balance"].value
        return cls(first, last, "queue-bypass" in given, "queue-cpu-fanout" in given)

    def _text(self, number: str, balance: str, dash: str) -> str:
        out = f" {number} {self.first}" if self.first == self.last else f" {balance} {self.first}:{self.last}"
        return out + (f" {dash}bypass" if self.bypass else "") + (f" {dash}cpu-fanout" if self.fanout else "")

    def save(self, base: Base) -> str:
        return self._text("--queue-num", "--queue-balance", "--queue-")

    def listing(self, numeric: bool, base: Base) -> str:
        return self._text("NFQUEUE num", "NFQUEUE balance", "")

    def translate(self, base: Base) -> str:
        flags = ",".join(word for word, on in (("bypass", self.bypass), ("fanout ", self.fanout)) if on)
        return f"queue num {self.first}{f'-{self.last}' if self.last != self.first else ''} {flags}"

    def refused(self, place: Place) -> str | None:
        return "ERANGE" if self.last > 0xFFFF else None

    def compile(self, cx: Compile) -> Action:
        count = self.last - self.first + 1
        seed: list[int] = cx.shared.setdefault(("NFQUEUE", "seed"), [])  # one for all rules (jhash_initval)

        def act(pkt: Packet, ctx: Context) -> Verdict:
            number = self.first
            if count > 1 and self.fanout:
                listeners = [ctx.host.queues.get(self.first + at) for at in range(count)]
                if ctx.host.cpu is None and any(one != listeners[0] for one in listeners):
                    ctx.note(pkt, "--queue-cpu-fanout: say which processor handles the packets, as cpu = 0 of the host")
                    return Verdict.UNKNOWN
                number += (ctx.host.cpu or 0) % count
            elif count > 1:
                if not seed:
                    seed.append(ctx.rng.getrandbits(32))
                number += jhash2(_flow(pkt), seed[0]) * count >> 32
            ctx.queue = (number, self.bypass)
            return Verdict.QUEUE

        return act


def _flow(pkt: Packet) -> tuple[int, int, int]:
    """What the queue is chosen by: the same for both directions."""
    src, dst = words_of(pkt.src, pkt.family), words_of(pkt.dst, pkt.family)
    if pkt.family == 4:
        low, high = sorted((src[0], dst[0]))
        return low, high, pkt.proto
    low, high = sorted((src[3], dst[3]))
    return low, high, min(src[1], dst[1])


EXTENSIONS = (Nfqueue,)
