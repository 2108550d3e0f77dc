"""hashlimit: a rate for each address or port (kernel: xt_hashlimit.c, revision 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.ext.cnumbers import atoll
from iptables_emu.ext.jiffies import jiffies
from iptables_emu.ext.procname import bad_proc_name
from iptables_emu.ext.rate_table import Config, RateTable, bytes_per_second, overflows
from iptables_emu.model.address import prefix_mask, show, uncompressed
from iptables_emu.options.numbers import U32, U64, atoi, scan
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import plen, string, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

SCALE = 1_000_000  # XT_HASHLIMIT_SCALE_v2: an average is this many per packet of one second
BURST, MOST_BURST, GC_INTERVAL, MOST_SIZE = 5, 1_000_000, 1000, 1 << 20
MODES = ("srcip", "srcport", "dstip", "dstport")  # in the order they are saved
PERIODS = (("day", 86400), ("hour", 3600), ("min", 60), ("sec", 1))
FACTORS = {"m": 1 << 20, "k": 1 << 10}
UNITS = (("m", 1 << 20), ("k", 1 << 10), ("", 1))

Rate = tuple[int, int, bool]  # average, its period in seconds, whether it counts bytes


def _cost(octets: int) -> int:
    return U32 // ((octets >> 4 & U32) + 1)


def _rate(text: str, cx: OptionContext) -> Rate:
    """``10/min``, ``4kb/s``: an average is the cost of one packet, or of 16 bytes."""
    at, number = text.find("b/s"), atoll(text)
    if at > 0 and number:
        return _cost(number * FACTORS.get(text[at - 1], 1) & U64), 15, True
    _, slash, period = text.partition("/")
    names = (("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400))
    seconds = next((s for name, s in names if period and name.startswith(period.lower())), None) if slash else 1
    if seconds is None or not number:
        option = "above" if cx.name == "hashlimit-above" else "upto"
        raise ParameterProblem(f'hashlimit: Bad value for "--hashlimit-{option}" option: "{text}"')
    if SCALE * seconds < number:
        raise ParameterProblem(f'Rate too fast "{text}"')
    return SCALE * seconds // number, seconds, False


def _bad_burst() -> ParameterProblem:
    return ParameterProblem(f'bad value for option "--hashlimit-burst", or out of range (1-{MOST_BURST}).')


def _burst(text: str, cx: OptionContext) -> int:
    found = scan(text, 1)
    if found is None or (not found[1] and found[0] > MOST_BURST):
        raise _bad_burst()
    return found[0] * FACTORS.get(found[1][:1], 1) & U64


def _mode(text: str, cx: OptionContext) -> tuple[str, ...]:
    words = [word for word in text.replace("|", ",").split(",") if word]
    if not all(word in MODES for word in words):
        raise ParameterProblem(f'hashlimit: Bad value for "--hashlimit-mode" option: "{text}"')
    return tuple(mode for mode in MODES if mode in words)


def _interval(text: str, cx: OptionContext) -> int:
    if atoi(text) <= 0:
        raise ParameterProblem(f'hashlimit: Bad value for "--hashlimit-rate-interval" option: "{text}"')
    return atoi(text)


def _show_rate(average: int) -> tuple[str, int]:
    """(`` 10/min``, its period in milliseconds)."""
    if not average:
        return " inf", 0
    last = PERIODS[0]
    for name, seconds in PERIODS[1:]:
        if average > SCALE * seconds or SCALE * seconds // average < SCALE * seconds % average:
            break
        last = name, seconds
    return f" {SCALE * last[1] // average}/{last[0]}", last[1] * 1000


def _show_bytes(average: int, burst: int, prefix: str) -> tuple[str, int]:
    """(`` 4kb/s --hashlimit-burst 400kb``, the time in milliseconds after which idle entries go)."""
    rate = bytes_per_second(average)
    unit, size = next(
        (u for u in UNITS[:2] if rate >= u[1] and _cost(rate & ~(u[1] - 1) & U32) == average), UNITS[2]
    )
    out = f" {rate // size}{unit}b/s"
    if not burst:
        return out, 15000
    total = rate * burst
    unit, size = next(u for u in UNITS if total >= u[1] or u[1] == 1)
    return f"{out} {prefix}burst {total // size}{unit}b", 60000


def _nft_key(mode: str, ip: str, config: Config, base: Base) -> str:
    """One part of a meter's key, an address with the mask it is grouped by."""
    if mode.endswith("port"):
        return f"tcp {mode[0]}port"
    bits = config.source_bits if mode == "srcip" else config.destination_bits
    if bits == base.addr_bits:
        return f"{ip} {mode[0]}addr"
    mask = prefix_mask(bits, base.family)
    if base.family == 4:
        return f"{ip} {mode[0]}addr and {show(mask, 4)}"
    return f"{ip} {mode[0]}addr and {uncompressed(mask)}"


def _nft_rate(average: int, burst: int) -> str:
    shown, _ = _show_rate(average)
    number, _, unit = shown.partition("/")
    full = next((word for word in ("second", "minute", "hour", "day") if word.startswith(unit)), unit)
    return f"{number}/{full} " + (f"burst {burst} packets " if burst != BURST else "")


def _nft_bytes(average: int, burst: int) -> str:
    """The text of :func:`_show_bytes` in nft's units."""
    rate, _, total = _show_bytes(average, burst, "")[0].partition("b/s burst ")
    number, unit = _nft_unit(rate.strip().removesuffix("b/s"))
    text = f" {number} {unit}/second"
    return text + (" burst {} {} ".format(*_nft_unit(total.removesuffix("b"))) if burst else " ")


def _nft_unit(text: str) -> tuple[str, str]:
    return (text[:-1], f"{text[-1]}bytes") if text[-1:] in FACTORS else (text, "bytes")


@dataclass(frozen=True, slots=True)
class Hashlimit(Match):
    """Averages and bursts in the kernel's own numbers, times in milliseconds. Rules with the same name share the
    table of the first of them."""

    NAME: ClassVar[str] = "hashlimit"
    NEEDS_SETUP: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("hashlimit-upto", _rate, "upto", invert=True, excludes=("above",), ident=0, metavar="rate",
            help="packets (or with b/s bytes) a /second, /minute, /hour or /day, at most"),
        Opt("hashlimit-above", _rate, "above", invert=True, excludes=("upto",), ident=1, metavar="rate",
            help="the same, more than"),
        Opt("hashlimit", _rate, "upto", invert=True, excludes=("above",), ident=0),
        Opt("hashlimit-srcmask", plen, ident=4, metavar="length", help="prefix by which sources are grouped"),
        Opt("hashlimit-dstmask", plen, ident=5, metavar="length", help="prefix by which destinations are grouped"),
        Opt("hashlimit-burst", _burst, ident=7, metavar="number", help=f"what may come at once, {BURST} if not given"),
        Opt("hashlimit-htable-size", uint(32), ident=8, metavar="number", help="buckets of the table"),
        Opt("hashlimit-htable-max", uint(32), ident=9, metavar="number", help="entries of the table"),
        Opt("hashlimit-htable-gcinterval", uint(32), ident=10, metavar="ms", help="time between cleanings"),
        Opt("hashlimit-htable-expire", uint(32), ident=11, metavar="ms", help="age of idle entries that go"),
        Opt("hashlimit-mode", _mode, ident=3, metavar="mode,...",
            help=f"what has a rate of its own: {', '.join(MODES)}"),
        Opt("hashlimit-name", string(low=1, size=255), mandatory=True, ident=6, metavar="name",
            help="name of the table"),
        Opt("hashlimit-rate-match", None, ident=12, help="compare the rate of the last interval, hold nothing back"),
        Opt("hashlimit-rate-interval", _interval, ident=13, metavar="seconds", help="length of that interval"),
    )  # fmt: skip

    name: str
    above: bool
    settings: tuple[Any, ...]  # the fields of Config

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if "upto" not in given and "above" not in given:
            raise ParameterProblem("You have to specify --hashlimit")
        (average, _, octets), burst = _rate_given(given), given.get("hashlimit-burst")
        if octets and burst and burst.value < bytes_per_second(average):
            raise ParameterProblem(f"burst cannot be smaller than {bytes_per_second(average)}b")
        if not octets and burst and burst.value > MOST_BURST:
            raise _bad_burst()

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        average, seconds, octets = _rate_given(given)
        values = {key: g.value for key, g in given.items()}
        burst, interval = values.get("hashlimit-burst"), values.get("hashlimit-rate-interval", 0)
        expire = seconds * 1000
        if octets:
            rate = bytes_per_second(average)
            expire = 60000 if burst else expire
            burst = -(-burst // rate) & U32 if burst and rate else 0
        if "hashlimit-rate-match" in given:
            average //= 1 if octets else seconds
            interval = interval or (1 if octets else seconds)
        config = Config(
            average, BURST if burst is None else burst, octets, "hashlimit-rate-match" in given, interval,
            values.get("hashlimit-mode", ()), values.get("hashlimit-srcmask", base.addr_bits),
            values.get("hashlimit-dstmask", base.addr_bits), min(values.get("hashlimit-htable-size", 0), MOST_SIZE),
            min(values.get("hashlimit-htable-max", 0), MOST_SIZE),
            values.get("hashlimit-htable-gcinterval", GC_INTERVAL), values.get("hashlimit-htable-expire", expire),
        )  # fmt: skip
        above = given["above"].inverted is False if "above" in given else given["upto"].inverted
        return cls(values["hashlimit-name"], above, tuple(config))

    @property
    def config(self) -> Config:
        return Config(*self.settings)

    def _rate_text(self, average: int, prefix: str) -> tuple[str, int]:
        config = self.config
        if config.octets:
            return _show_bytes(config.average, config.burst, prefix)
        shown, quantum = _show_rate(average)
        return f"{shown} {prefix}burst {config.burst}", quantum

    def _table_text(self, prefix: str, quantum: int, base: Base) -> str:
        config = self.config
        rows = (
            ("htable-size", config.size, 0),
            ("htable-max", config.most, 0),
            ("htable-gcinterval", config.gc_interval, GC_INTERVAL),
            ("htable-expire", config.expire, quantum),
            ("srcmask", config.source_bits, base.addr_bits),
            ("dstmask", config.destination_bits, base.addr_bits),
        )
        out = "".join(f" {prefix}{option} {value & U32}" for option, value, default in rows if value != default)
        if not config.rate_match:
            return out
        out += f" {prefix}rate-match"
        return out + (f" {prefix}rate-interval {config.interval}" if config.interval != 1 else "")

    def save(self, base: Base) -> str:
        rate, quantum = self._rate_text(self.config.average, "--hashlimit-")
        mode = f" --hashlimit-mode {','.join(self.config.modes)}" if self.config.modes else ""
        return (
            f" --hashlimit-{'above' if self.above else 'upto'}{rate}{mode} --hashlimit-name {self.name}"
            + self._table_text("--hashlimit-", quantum, base)
        )

    def listing(self, numeric: bool, base: Base) -> str:
        rate, quantum = self._rate_text(self.config.average * (self.config.interval or 1), "")
        mode = f" mode {'-'.join(self.config.modes)}" if self.config.modes else ""
        return f" limit: {'above' if self.above else 'up to'}{rate}{mode}" + self._table_text("", quantum, base)

    def translate(self, base: Base) -> str | None:
        """The garbage collector's default is taken for the one of the entries' age, as upstream has it."""
        config, ip = self.config, "ip" if base.family == 4 else "ip6"
        if not config.modes:
            return None
        keys = [_nft_key(mode, ip, config, base) for mode in ("dstip", "dstport", "srcip", "srcport")
                if mode in config.modes]  # fmt: skip
        age = f" timeout {config.expire // 1000}s" if config.expire != GC_INTERVAL else ""
        rate = _nft_bytes(config.average, config.burst) if config.octets else _nft_rate(config.average, config.burst)
        over = " over" if self.above else ""
        return f"meter {self.name} {{ {' . '.join(keys)}{age} limit rate{over}{rate}}}"

    def refused(self, place: Place) -> str | None:
        config, bits = self.config, place.base.addr_bits
        if bad_proc_name(self.name) or not config.gc_interval or not config.expire:
            return "EINVAL"
        if not (0 <= config.source_bits <= bits and 0 <= config.destination_bits <= bits):
            return "EINVAL"
        if config.rate_match:
            return "ERANGE" if not 0 < config.average <= U32 else None
        return overflows(config)

    def compile(self, cx: Compile) -> Test:
        # a table of IPv4 and one of IPv6 may have the same name
        key = (f"hashlimit{cx.family}", self.name)
        config = self.config
        table: RateTable = cx.shared.setdefault(key, RateTable(config, cx.family))
        octets, rate_match, above = config.octets, config.rate_match, self.above

        def test(pkt: Packet, ctx: Context) -> bool:
            within = table.within(pkt, jiffies(ctx.now), octets, rate_match)
            if within is None:
                pkt.hotdrop = True
                return False
            return within is not above

        return test


def _rate_given(given: Gathered) -> Rate:
    rate: Rate = next(g.value for key, g in reversed(list(given.items())) if key in ("upto", "above"))
    return rate


EXTENSIONS = (Hashlimit,)
