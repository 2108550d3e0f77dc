"""limit: a number of packets in a time, by a bucket of credit (kernel: xt_limit.c; natively nft_limit.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.ext.jiffies import HZ, jiffies
from iptables_emu.options.numbers import U32, atoi
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

SCALE = 10000  # XT_LIMIT_SCALE: a period counts in ten-thousandths of a second
BURST = 5  # libxtables' default, and nft_limit's for 0
UNITS = (("day", 86400), ("hour", 3600), ("min", 60), ("sec", 1))
SPELLINGS = (("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400))
# the power of two below 2^32 / (HZ * seconds of a day)
CREDITS_PER_JIFFY = 1 << (U32 // (HZ * 86400)).bit_length() - 1


def _rate(text: str, cx: OptionContext) -> int:
    """``3/hour``, ``10`` -> the period of one packet."""
    number, slash, unit = text.partition("/")
    seconds = next((s for word, s in SPELLINGS if unit and word.startswith(unit.lower())), None) if slash else 1
    rate = atoi(number) & U32
    if seconds is None or not rate:
        raise ParameterProblem(f"bad rate \"{text}\"'")
    if SCALE * seconds < rate:
        raise ParameterProblem(f'Rate too fast "{text}"')
    return SCALE * seconds // rate


def best_unit(period: int) -> tuple[int, str, int]:
    """(packets, unit, its seconds) that show a period: the shortest unit with little remainder."""
    best = UNITS[0]
    for unit in UNITS[1:]:
        whole = SCALE * unit[1]
        if period > whole or whole // period < whole % period:
            break
        best = unit
    return SCALE * best[1] // period, *best


def _credits(user: int) -> int:
    """xt_limit's user2credits, in 32 bits."""
    if user > U32 // (HZ * CREDITS_PER_JIFFY):
        return user // SCALE * HZ * CREDITS_PER_JIFFY & U32
    return user * HZ * CREDITS_PER_JIFFY // SCALE


@dataclass(frozen=True, slots=True)
class Limit(Match):
    """``period`` is the time of one packet in units of 0.1 ms."""

    NAME: ClassVar[str] = "limit"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("limit", _rate, metavar="rate[/unit]",
            help="average rate, per second, minute, hour or day (default 3/hour)"),
        Opt("limit-burst", uint(32, 0, 10000), metavar="number",
            help=f"packets that may come at once (default {BURST})"),
    )  # fmt: skip

    period: int = SCALE * 3600 // 3
    burst: int = BURST

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        out = cls()
        if g := given.get("limit"):
            out = replace(out, period=g.value)
        if g := given.get("limit-burst"):
            out = replace(out, burst=g.value)
        return out

    def save(self, base: Base) -> str:
        return f" --limit {self._rate()}" + (f" --limit-burst {self.burst}" if self.burst != BURST else "")

    def listing(self, numeric: bool, base: Base) -> str:
        return f" limit: avg {self._rate()} burst {self.burst}"

    def translate(self, base: Base) -> str:
        number, unit, _ = best_unit(self.period)
        unit = next(word for word, _ in SPELLINGS if word.startswith(unit))
        return f"limit rate {number}/{unit}" + (f" burst {self.burst} packets" if self.burst else "")

    def _rate(self) -> str:
        number, unit, _ = best_unit(self.period)
        return f"{number}/{unit}"

    def native(self, base: Base) -> Self:
        number, _, seconds = best_unit(self.period)
        return replace(self, period=SCALE * seconds // number, burst=self.burst or BURST)

    def refused(self, place: Place) -> str | None:
        overflow = not self.burst or _credits(self.period * self.burst & U32) < _credits(self.period)
        return "ERANGE" if overflow and place.personality == "legacy" else None

    def compile(self, cx: Compile) -> Test:
        return self._bucket_ns() if cx.personality == "nft" else self._bucket_jiffies()

    def _bucket_jiffies(self) -> Test:
        cap, cost = _credits(self.period * self.burst & U32), _credits(self.period)
        credit, last = cap, -1

        def test(pkt: Packet, ctx: Context) -> bool:
            nonlocal credit, last
            now = jiffies(ctx.now)
            gained = 0 if last < 0 else (now - last) * CREDITS_PER_JIFFY & U32
            last = now
            credit = min(credit + gained & U32, cap)
            if credit < cost:
                return False
            credit -= cost
            return True

        return test

    def _bucket_ns(self) -> Test:
        number, _, seconds = best_unit(self.period)
        cost = seconds * 1_000_000_000 // number
        cap = cost * self.burst
        tokens, last = cap, -1

        def test(pkt: Packet, ctx: Context) -> bool:
            nonlocal tokens, last
            tokens = min(tokens + (0 if last < 0 else ctx.now - last), cap)
            last = ctx.now
            if tokens < cost:
                return False
            tokens -= cost
            return True

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        return self.save(base).strip(), "more than the rate allows"


EXTENSIONS = (Limit,)
