"""A moving average of bytes and packets a second (kernel: gen_estimator.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from iptables_emu.ext.jiffies import NS_PER_JIFFY

QUARTER = 250_000_000  # nanoseconds
U64 = (1 << 64) - 1
KIND = "RATEEST"  # of the state that rules share


@dataclass(slots=True)
class Average:
    """One rate, scaled by 256; ``last`` is what was counted at the last tick."""

    value: int = 0
    last: int = 0

    def tick(self, counted: int, interval: int, weight: int) -> None:
        rate = (counted - self.last) << 10 - interval
        self.value = self.value + (rate >> weight) - (self.value >> weight) & U64
        self.last = counted

    @property
    def per_second(self) -> int:
        return self.value >> 8


@dataclass(slots=True)
class Estimator:
    """``start`` is when it was made (ns); ``interval`` 0 to 5 for a quarter second ... 8 seconds; ``weight`` the
    exponent of the average.

    The kernel's timer ticks an interval after the start and so on, a jiffy early or an eighth of the interval late:
    what the packets in between find is not certain.
    """

    start: int
    interval: int
    weight: int
    packets: int = 0
    bytes: int = 0
    ticks: int = 0
    by_bytes: Average = field(default_factory=Average)
    by_packets: Average = field(default_factory=Average)

    def count(self, size: int, now: int) -> None:
        self._run(self._due(now - self._late))
        self.packets += 1
        self.bytes += size

    def rates(self, now: int) -> list[tuple[int, int]]:
        """(bytes, packets) a second that a packet may find: one pair, or two where the timer may have run or not."""
        self._run(self._due(now - self._late))
        found = [(self.by_bytes.per_second, self.by_packets.per_second)]
        if self._due(now + NS_PER_JIFFY) > self.ticks:
            ahead = Estimator(self.start, self.interval, self.weight, self.packets, self.bytes, self.ticks,
                              Average(self.by_bytes.value, self.by_bytes.last),
                              Average(self.by_packets.value, self.by_packets.last))  # fmt: skip
            ahead._run(self.ticks + 1)
            found.append((ahead.by_bytes.per_second, ahead.by_packets.per_second))
        return found

    @property
    def _length(self) -> int:
        return QUARTER << self.interval

    @property
    def _late(self) -> int:
        return self._length // 8 + NS_PER_JIFFY

    def _due(self, now: int) -> int:
        return max(0, (now - self.start) // self._length)

    def _run(self, ticks: int) -> None:
        """Let the timer run until so many ticks have been; an average of nothing stays what it is."""
        while self.ticks < ticks:
            before = self.by_bytes.value, self.by_packets.value
            self.by_bytes.tick(self.bytes, self.interval, self.weight)
            self.by_packets.tick(self.packets, self.interval, self.weight)
            self.ticks += 1
            if before == (self.by_bytes.value, self.by_packets.value):
                self.ticks = ticks
