"""time: date and time of day (kernel: xt_time.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.ext.cnumbers import strtoul
from iptables_emu.options.numbers import U32
from iptables_emu.options.problem import IptablesError, ParameterProblem
from iptables_emu.options.spec import OptionContext

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

ENDINGS = {1: "st", 2: "nd", 3: "rd"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
ALL_MONTHDAYS, ALL_WEEKDAYS = 0xFFFFFFFE, 0xFE
DAY, LAST_SECOND, LAST_DATE = 86400, 86399, 0x7FFFFFFF
LOCAL_WARNING = (
    'WARNING: --localtz is being replaced by --kerneltz, since "local" is ambiguous. '
    "Note the kernel timezone has caveats - see manpage for details.\n"
)
# of the parts of a date: what may follow, the least and the largest value
DATE_PARTS = (("-", 1970, 2038), ("-", 0, 12), ("T", 0, 31), (":", 0, 23), (":", 0, 59), ("", 0, 59))


def _date(text: str, cx: OptionContext) -> int:
    """``YYYY[-MM[-DD[Thh[:mm[:ss]]]]]`` -> seconds since the epoch; month and day 0 count back as mktime does."""
    parts, rest = [1970, 1, 1, 0, 0, 0], text
    for index, (mark, least, most) in enumerate(DATE_PARTS):
        value, rest = strtoul(rest, 10)
        value &= U32
        if rest[:1] not in ("", mark) or not least <= value <= most:
            raise ParameterProblem(
                f'Invalid date "{text}" specified. Should be YYYY[-MM[-DD[Thh[:mm[:ss]]]]]'
            )
        parts[index] = value
        if not rest:
            break
        rest = rest[1:]
    year, month, day, hour, minute, second = parts
    months = year * 12 + month - 1
    days = date(months // 12, months % 12 + 1, 1).toordinal() + day - 1 - date(1970, 1, 1).toordinal()
    seconds = days * DAY + hour * 3600 + minute * 60 + second
    if seconds < 0:
        raise IptablesError("mktime returned an error")
    return seconds


def _daytime(text: str, cx: OptionContext) -> int:
    """``hh:mm[:ss]`` -> seconds since midnight."""
    values, rest = [0, 0, 0], text
    for index, (ends, most) in enumerate(((":", 23), (":", 59), ("", 59))):
        tried = rest
        value, rest = strtoul(rest, 10)
        values[index] = value & U32
        if values[index] > most or (rest[:1] != ":" if index == 0 else rest[:1] not in ("", ends)):
            raise ParameterProblem(
                f'invalid time "{tried}" specified, should be hh:mm[:ss] format and within the boundaries'
            )
        if not rest:
            break
        rest = rest[1:]
    return values[0] * 3600 + values[1] * 60 + values[2]


def _segments(text: str, size: int) -> list[str]:
    """The parts between commas, each cut to ``size`` characters; nothing behind a last comma."""
    parts = text.split(",")
    return [part[:size] for part in (parts if parts[-1] else parts[:-1])]


def _monthdays(text: str, cx: OptionContext) -> int:
    out = 0
    for day in _segments(text, 2):
        value, rest = strtoul(day)
        if rest or value & U32 > 31:
            raise ParameterProblem(f"{day} is not a valid day for --monthdays")
        out |= 1 << value
    return out ^ ALL_MONTHDAYS if cx.inverted else out


def _weekdays(text: str, cx: OptionContext) -> int:
    out = 0
    for day in _segments(text, 3):
        value, rest = strtoul(day)
        if not rest:
            if value == 0:
                raise ParameterProblem("No, the week does NOT begin with Sunday.")
            out |= 1 << (value & 31)
            continue
        named = [i for i, name in enumerate(WEEKDAYS, 1) if name[:2] == day[:2]]
        if not named:
            raise ParameterProblem(f"{day} is not a valid day specifier")
        out |= 1 << named[0]
    return (out ^ ALL_WEEKDAYS if cx.inverted else out) & 0xFF


def _localtz(text: str, cx: OptionContext) -> bool:
    cx.warnings.append(LOCAL_WARNING)
    return True


@dataclass(frozen=True, slots=True)
class Time(Match):
    """Times are seconds, days bits. The kernel's time zone (``kernel_tz``) is UTC, as it is unless somebody sets it."""

    NAME: ClassVar[str] = "time"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("datestart", _date, ident=0, metavar="date", help="YYYY[-MM[-DD[Thh[:mm[:ss]]]]], the first moment"),
        Opt("datestop", _date, ident=1, metavar="date", help="the last moment"),
        Opt("timestart", _daytime, ident=2, metavar="hh:mm[:ss]", help="the first second of the day"),
        Opt("timestop", _daytime, ident=3, metavar="hh:mm[:ss]", help="the last second of the day"),
        Opt("contiguous", None, ident=4, help="a time over midnight belongs to the day it began on"),
        Opt("weekdays", _weekdays, invert=True, ident=6, metavar="day,...", help="Mon to Sun or 1 to 7"),
        Opt("monthdays", _monthdays, invert=True, ident=5, metavar="day,...", help="1 to 31"),
        Opt("localtz", _localtz, bare=True, words=0, ident=7, excludes=("utc",), help="the old name of --kerneltz"),
        Opt("utc", None, ident=8, excludes=("localtz", "kerneltz"), help="times are UTC (default)"),
        Opt("kerneltz", None, ident=9, excludes=("utc",), help="times are in the kernel's time zone"),
    )

    date_start: int = 0
    date_stop: int = LAST_DATE
    time_start: int = 0
    time_stop: int = LAST_SECOND
    monthdays: int = ALL_MONTHDAYS
    weekdays: int = ALL_WEEKDAYS
    contiguous: bool = False
    kernel_tz: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        time = cls.parse(given, base)
        if time.contiguous and time.time_start < time.time_stop:
            raise ParameterProblem(
                "time: --contiguous only makes sense when stoptime is smaller than starttime"
            )

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        values = {option: g.value for option, g in given.items()}
        return cls(
            values.get("datestart", 0), values.get("datestop", LAST_DATE),
            values.get("timestart", 0), values.get("timestop", LAST_SECOND),
            values.get("monthdays", ALL_MONTHDAYS), values.get("weekdays", ALL_WEEKDAYS),
            "contiguous" in given, "localtz" in given or "kerneltz" in given,
        )  # fmt: skip

    def _all_day(self) -> bool:
        return (self.time_start, self.time_stop) == (0, LAST_SECOND)

    def _weekday_names(self) -> str:
        return ",".join(name for i, name in enumerate(WEEKDAYS, 1) if self.weekdays >> i & 1)

    def _days_of_month(self) -> list[int]:
        return [day for day in range(1, 32) if self.monthdays >> day & 1]

    def save(self, base: Base) -> str:
        out = ""
        if not self._all_day():
            out += f" --timestart {_clock(self.time_start)} --timestop {_clock(self.time_stop)}"
        if self.monthdays != ALL_MONTHDAYS:
            out += f" --monthdays {','.join(map(str, self._days_of_month()))}"
        if self.weekdays != ALL_WEEKDAYS:
            out += f" --weekdays {self._weekday_names()}"
        for option, moment in (("datestart", self.date_start), ("datestop", self.date_stop)):
            out += f" --{option} {_moment(moment):%Y-%m-%dT%H:%M:%S}" if moment else ""
        return out + (" --kerneltz" if self.kernel_tz else "") + (" --contiguous" if self.contiguous else "")

    def listing(self, numeric: bool, base: Base) -> str:
        out = " TIME"
        if not self._all_day():
            out += f" from {_clock(self.time_start)} to {_clock(self.time_stop)}"
        if self.weekdays != ALL_WEEKDAYS:
            out += f" on {self._weekday_names()}"
        if self.monthdays != ALL_MONTHDAYS:
            out += " on " + ",".join(f"{day}{ENDINGS.get(day % 10, 'th')}" for day in self._days_of_month())
        if self.date_start:
            out += f" starting from {_moment(self.date_start):%Y-%m-%d %H:%M:%S}"
        if self.date_stop != LAST_DATE:
            out += " until date" + (f" {_moment(self.date_stop):%Y-%m-%d %H:%M:%S}" if self.date_stop else "")
        return out + ("" if self.kernel_tz else " UTC") + (" contiguous" if self.contiguous else "")

    def translate(self, base: Base) -> str | None:
        if self.monthdays != ALL_MONTHDAYS:
            return None
        out = ""
        if self.date_start != 0 or self.date_stop != LAST_DATE:
            first, last = (datetime.fromtimestamp(when, UTC) for when in (self.date_start, self.date_stop))
            out += f'meta time "{first:%Y-%m-%d %H:%M:%S}"-"{last:%Y-%m-%d %H:%M:%S}"'
        if self.time_start != 0 or self.time_stop != LAST_SECOND:
            out += f' meta hour "{_clock(self.time_start)}"-"{_clock(self.time_stop)}"'
        if self.weekdays != ALL_WEEKDAYS:
            days = ", ".join(str(day % 7) for day in range(1, 8) if self.weekdays >> day & 1)
            out += f" meta day {f'{{ {days} }}' if ',' in days else days}"
        return out

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool:
            return self._holds(ctx.now // 1_000_000_000)

        return test

    def _holds(self, now: int) -> bool:
        if not self.date_start <= now <= self.date_stop:
            return False
        clock = now % DAY
        if self.time_start < self.time_stop:
            if not self.time_start <= clock <= self.time_stop:
                return False
        elif self.time_stop < clock < self.time_start:
            return False
        elif self.contiguous and clock <= self.time_stop:
            now -= DAY  # still the evening before
        today = _moment(max(now, 0))
        return bool(self.weekdays >> today.isoweekday() & 1 and self.monthdays >> today.day & 1)

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        return self.save(base).strip(), f"it is {_moment(ctx.now // 1_000_000_000):%a %Y-%m-%d %H:%M:%S} UTC"


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


EXTENSIONS = (Time,)
