"""The tables of the hashlimit match: a token bucket for each key (kernel: xt_hashlimit.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from iptables_emu.ext.jiffies import HZ
from iptables_emu.model.address import prefix_mask
from iptables_emu.options.numbers import U32, U64
from iptables_emu.packet.exthdr import AH, EXTENSION_HEADERS, FRAGMENT, NO_NEXT, header_length

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet

SCALE = 1_000_000


def _power_below(limit: int) -> int:
    return 1 << limit.bit_length() - 1


CREDITS = _power_below(U64 // (HZ * 86400))  # what a packet bucket gains a jiffy
BYTE_CREDITS = _power_below(U32 // HZ)
BYTE_CAP = BYTE_CREDITS * HZ
BUCKETS = 8192  # of a table without a size, on a machine with more than 1 GB of memory
# where the ports (or the SPI) stand in the transport header (kernel: proto_ports_offset)
PORTS_AT = {6: 0, 17: 0, 33: 0, 50: 0, 132: 0, 136: 0, AH: 4}

Key = tuple[int, int, int, int]  # source, destination, their ports; 0 where the mode does not ask


class Config(NamedTuple):
    """What the rule that makes a table says of it. ``average`` is the cost of a packet (or of 16 bytes)."""

    average: int
    burst: int
    octets: bool
    rate_match: bool
    interval: int
    modes: tuple[str, ...]
    source_bits: int
    destination_bits: int
    size: int
    most: int
    gc_interval: int
    expire: int


@dataclass(slots=True)
class Bucket:
    """Credit of one key; for rate matching the packets of this interval and whether the last one was over."""

    expires: int
    touched: int
    credit: int
    cap: int
    counted: int = 0
    was_over: bool = False


def bytes_per_second(cost: int) -> int:
    """What a byte average means."""
    return (U32 // cost - 1) << 4 if cost else (U32 - 1) << 4


def _credits(average: int) -> int:
    return average * (HZ * CREDITS // SCALE) & U64


def _byte_credits(average: int) -> int:
    return (average & U32) * BYTE_CAP >> 32 & U32


def overflows(config: Config) -> str | None:
    """The errno of a rate that the kernel cannot count, or None."""
    if config.octets:
        return None if _byte_credits(config.average) else "EINVAL"
    if config.burst == 0 or _credits(config.average * config.burst & U64) < _credits(config.average):
        return "ERANGE"
    return None


def _to_jiffies(ms: int) -> int:
    return -(-ms * HZ // 1000)


class RateTable:
    """The buckets of one name. Its clock begins with the first packet."""

    def __init__(self, config: Config, family: int) -> None:
        self.config, self.family = config, family
        self._buckets: dict[Key, Bucket] = {}
        size = config.size or BUCKETS
        self._most = max(config.most, size) if config.most else 8 * size
        self._collected: int | None = None  # when idle buckets were last thrown away
        self._source = prefix_mask(config.source_bits, family)
        self._destination = prefix_mask(config.destination_bits, family)

    def within(self, pkt: Packet, now: int, octets: bool, rate_match: bool) -> bool | None:
        """Whether the packet keeps the rate; None drops it: it cannot be read, or the table is full.

        ``octets`` and ``rate_match`` are those of the rule in hand, not of the table.
        """
        key = self._key(pkt)
        if key is None:
            return None
        self._collect(now)
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._most:
                return None
            bucket = self._buckets[key] = self._fresh(now)
        else:
            self._refill(bucket, now)
        bucket.expires = now + _to_jiffies(self.config.expire)
        if rate_match:
            bucket.counted += pkt.length if octets else 1
            return not bucket.was_over and bucket.counted <= self._limit()
        cost = self._byte_cost(pkt.length, bucket) if octets else self._cost()
        if bucket.credit < cost:
            return False
        bucket.credit -= cost
        return True

    def _collect(self, now: int) -> None:
        """Throw away what had expired when the collector last ran (every ``gc_interval``)."""
        every = max(_to_jiffies(self.config.gc_interval), 1)
        if self._collected is None:
            self._collected = now
        last = now - (now - self._collected) % every
        if last > self._collected:
            self._collected = last
            self._buckets = {key: b for key, b in self._buckets.items() if b.expires > last}

    def _cost(self) -> int:
        return _byte_credits(self.config.average) if self.config.octets else _credits(self.config.average)

    def _byte_cost(self, length: int, bucket: Bucket) -> int:
        cost = min(((length >> 4) + 1) * self._cost(), BYTE_CAP)
        if bucket.credit < cost and bucket.cap:
            bucket.cap -= 1  # the burst: so often an empty bucket is filled at once
            bucket.credit = BYTE_CAP
        return cost

    def _fresh(self, now: int) -> Bucket:
        config = self.config
        if config.octets:
            return Bucket(0, now, BYTE_CAP, config.burst)
        full = _credits(config.average * config.burst & U64)
        return Bucket(0, now, full, full)

    def _refill(self, bucket: Bucket, now: int) -> None:
        config, gone = self.config, now - bucket.touched
        if not gone:
            return
        if config.rate_match:
            interval = config.interval * HZ
            if gone >= interval:
                bucket.touched = now
                bucket.was_over = bucket.counted * interval > gone * self._rate()
                bucket.counted = 0
            return
        bucket.touched = now
        if config.octets:
            bucket.credit = min(bucket.credit + BYTE_CREDITS * gone, BYTE_CAP)
        else:
            bucket.credit = min(bucket.credit + CREDITS * gone, bucket.cap)

    def _rate(self) -> int:
        """Packets or bytes a second that rate matching allows."""
        average = self.config.average
        return bytes_per_second(average) if self.config.octets else SCALE // average

    def _limit(self) -> int:
        """What may come in one interval."""
        rate, burst = self._rate(), self.config.burst
        if self.config.octets:
            return burst * rate if burst else rate
        return burst + rate

    def _key(self, pkt: Packet) -> Key | None:
        modes = self.config.modes
        source = pkt.src & self._source if "srcip" in modes else 0
        destination = pkt.dst & self._destination if "dstip" in modes else 0
        if "srcport" not in modes and "dstport" not in modes:
            return source, destination, 0, 0
        ports = _ports(pkt)
        if ports is None:
            return None
        return source, destination, ports[0] if "srcport" in modes else 0, ports[1] if "dstport" in modes else 0


def _ports(pkt: Packet) -> tuple[int, int] | None:
    """The ports, or what stands in their place (in a later fragment too); zeros for protocols without."""
    found = (pkt.proto, pkt.l4) if pkt.family == 4 else _skip_headers(pkt)
    if found is None:
        return None
    at = PORTS_AT.get(found[0])
    if at is None:
        return 0, 0
    data = pkt.data[found[1] + at : found[1] + at + 4]
    return (int.from_bytes(data[:2], "big"), int.from_bytes(data[2:], "big")) if len(data) == 4 else None


def _skip_headers(pkt: Packet) -> tuple[int, int] | None:
    """(protocol, offset) behind the extension headers; a later fragment stops at its own (kernel: ipv6_skip_exthdr)."""
    data = pkt.data
    proto, at = data[6], 40
    while proto in EXTENSION_HEADERS or proto == NO_NEXT:
        if proto == NO_NEXT or at + 2 > len(data):
            return None
        if proto == FRAGMENT:
            if at + 4 > len(data):
                return None
            if int.from_bytes(data[at + 2 : at + 4], "big") & 0xFFF8:
                break
        proto, at = data[at], at + header_length(data, proto, at)
    return proto, at
