"""RATEEST: measure the rate of packets for the rateest match (kernel: xt_RATEEST.c)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Place, Target
from iptables_emu.ext.cnumbers import strtod, unsigned
from iptables_emu.ext.rate_estimator import KIND, Estimator
from iptables_emu.options.numbers import U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import string

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

SIZE: Final = 16  # IFNAMSIZ, with the final NUL
SECOND: Final = 1_000_000
UNITS: Final = {"": 1, "s": SECOND, "sec": SECOND, "secs": SECOND, "ms": 1000, "msec": 1000, "msecs": 1000,
                "us": 1, "usec": 1, "usecs": 1}  # fmt: skip


def _time(what: str) -> Callable[[str, OptionContext], int]:
    """``250ms``, ``1.5s``, a bare number of microseconds -> microseconds."""

    def convert(text: str, cx: OptionContext) -> int:
        found = strtod(text)
        unit = UNITS.get(found[1].lower()) if found else None
        if found is None or unit is None:
            raise ParameterProblem(f'RATEEST: bad {what} value "{text}"')
        return unsigned(found[0] * unit)

    return convert


def _interval_log(interval: int) -> int:
    """0 to 5 for a quarter second, a half ... 8 seconds; 6 is too large."""
    return next((log for log in range(6) if interval <= SECOND // 4 << log), 6)


def _ewma_log(interval: int, time_constant: int) -> int:
    """The weight's exponent of the moving average (tc's own way to it); good from 1 to 30."""
    for log in range(1, 31):
        if interval / -math.log(1.0 - 1.0 / (1 << log)) > time_constant:
            return log - 1
    return 31


def _show_time(time: int) -> str:
    if time >= SECOND:
        return f"{time / SECOND:.1f}s"
    return f"{time / 1000:.1f}ms" if time >= 1000 else f"{time}us"


@dataclass(frozen=True, slots=True)
class RateEst(Target):
    """``interval`` and ``ewma_log`` are the kernel's exponents. Rules that share a name
    share the estimator. The packet goes on."""

    NAME: ClassVar[str] = "RATEEST"
    NEEDS_SETUP: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("rateest-name", string(size=SIZE), mandatory=True, metavar="name", help="name of the estimator"),
        Opt("rateest-interval", _time("interval"), mandatory=True, metavar="time", help="time between measurements"),
        Opt("rateest-ewmalog", _time("ewmalog"), mandatory=True, metavar="time", help="time constant of the average"),
    )

    name: str
    interval: int
    ewma_log: int

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        interval, constant = (given[k].value if k in given else 0 for k in ("rateest-interval", "rateest-ewmalog"))
        if _interval_log(interval) > 5:
            raise ParameterProblem("RATEEST: interval value is too large")
        if not 0 < _ewma_log(interval, constant) < 31:
            raise ParameterProblem("RATEEST: ewmalog value is out of range")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        name, interval, constant = (given[f"rateest-{key}"].value for key in ("name", "interval", "ewmalog"))
        return cls(name, _interval_log(interval) - 2, _ewma_log(interval, constant))

    def _text(self, prefix: str) -> str:
        interval = (SECOND << self.interval + 2) // 4
        constant = interval << self.ewma_log & U32
        return (
            f" {prefix}name {self.name} {prefix}interval {_show_time(interval)} {prefix}ewmalog {_show_time(constant)}"
        )

    def save(self, base: Base) -> str:
        return self._text("--rateest-")

    def listing(self, numeric: bool, base: Base) -> str:
        return self._text("")

    def refused(self, place: Place) -> str | None:
        mine = (self.interval, self.ewma_log)
        return "EINVAL" if (place.estimators or {}).get(self.name, mine) != mine else None

    def compile(self, cx: Compile) -> Action:
        fresh = Estimator(cx.now, self.interval + 2, self.ewma_log)
        estimator: Estimator = cx.shared.setdefault((KIND, self.name), fresh)

        def act(pkt: Packet, ctx: Context) -> Flow:
            estimator.count(len(pkt.data), ctx.now)
            return Flow.CONTINUE

        return act


EXTENSIONS = (RateEst,)
