"""The hash table of the hash types: buckets of growing size, doubled when one is full (kernel: ip_set_hash_gen.h).

The order of a listing, the size in memory and what ``forceadd`` throws out depend on it, so it is kept as
it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from iptables_emu.conntrack.jhash import jhash2
from iptables_emu.host.ipset.element import Entry, Ext, Key, SetError
from iptables_emu.host.ipset.extensions import Extensions

INIT_SIZE = 2
MAX_SIZE = 12
MAX_TUNED = 64
BUCKET_BYTES = 32
REGION_BITS = 10


class Full(Exception):
    """A bucket is full: the table has to be made larger first."""


class Bucket:
    """``slots`` up to the first free position; None is a hole that a deletion left.

    ``stale`` holds the counters that lie in the memory of free positions: an element that is put there
    without counters of its own begins with them.
    """

    __slots__ = ("size", "slots", "stale")

    def __init__(self) -> None:
        self.slots: list[Entry | None] = []
        self.size = INIT_SIZE
        self.stale: dict[int, tuple[int, int]] = {}

    def clear(self, index: int) -> None:
        """Make a hole."""
        entry = self.slots[index]
        if entry is not None:
            self.stale[index] = entry.packets, entry.octets
        self.slots[index] = None

    def put(self, index: int, entry: Entry) -> None:
        if index == len(self.slots):
            self.slots.append(None)
        else:
            self.clear(index)
        entry.packets, entry.octets = self.stale.pop(index, (0, 0))
        self.slots[index] = entry

    def close(self) -> None:
        """Move the elements together in a smaller block of memory."""
        self.slots = [entry for entry in self.slots if entry is not None]
        self.stale.clear()
        self.size -= INIT_SIZE


class Table:
    """The elements of one hash set. ``forget`` and ``remember`` keep the set's count of prefix lengths."""

    def __init__(
        self, ext: Extensions, *, bits: int, maxelem: int, bucketsize: int, initval: int, element: int,
        pack: Callable[[Key], bytes], several: bool = False, forceadd: bool = False,
    ) -> None:  # fmt: skip
        self.ext, self.bits, self.maxelem, self.initval = ext, bits, maxelem, initval
        self.bucketsize, self.element, self.pack = bucketsize, element, pack
        self.several, self.forceadd = several, forceadd  # several interfaces may share a network
        self.remember: Callable[[Key], None] = lambda key: None
        self.forget: Callable[[Key], None] = lambda key: None
        self.flush()

    def flush(self) -> None:
        self.buckets: dict[int, Bucket] = {}
        self.counts = [0] * self.regions
        self.bytes = 0

    @property
    def regions(self) -> int:
        return 1 if self.bits < REGION_BITS else 1 << self.bits - REGION_BITS

    def place(self, key: Key) -> int:
        data = self.pack(key)
        words = [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]
        return jhash2(words, self.initval) & (1 << self.bits) - 1

    def region(self, place: int) -> int:
        return place >> REGION_BITS if self.bits >= REGION_BITS else 0

    def entries(self, now: int) -> Iterator[Entry]:
        """All that has not run out, in the order of a listing."""
        for place in sorted(self.buckets):
            for entry in self.buckets[place].slots:
                if entry is not None and not entry.expired(now):
                    yield entry

    def same(self, stored: Key, wanted: Key) -> tuple[bool, bool]:
        """(equal, equal but for the interface)."""
        if not self.several:
            return stored == wanted, False
        if stored.ip != wanted.ip or stored.cidr != wanted.cidr:
            return False, False
        if stored.physdev != wanted.physdev:
            return False, True
        fits = wanted.iface.startswith(stored.iface) if stored.wildcard else wanted.iface == stored.iface
        return fits, True

    def find(self, key: Key) -> Iterator[tuple[Entry, bool]]:
        """Elements equal to a key; with several interfaces also those that differ in it only (False)."""
        bucket = self.buckets.get(self.place(key))
        for entry in bucket.slots if bucket else ():
            if entry is not None:
                equal, near = self.same(entry.key, key)
                if equal or near:
                    yield entry, equal

    # -- adding ----------------------------------------------------------------------------------

    def add(self, key: Key, ext: Ext, now: int, *, nomatch: bool, exist: bool) -> None:
        """mtype_add. Raises SetError (EXIST, HASH_FULL) or Full."""
        place = self.place(key)
        region = self.region(place)
        full, force = self._full(region, now)
        bucket = self.buckets.get(place)
        if bucket is None:
            if full or force:
                raise SetError("HASH_FULL")
            bucket = self.buckets[place] = Bucket()
            self.bytes += self._bucket_bytes(INIT_SIZE)
            self._put(bucket, 0, key, region, ext, now, nomatch)
            return
        at, near = self._spot(bucket, key, now, exist)
        if at >= 0 and (old := bucket.slots[at]) is not None and self.same(old.key, key)[0]:
            self._overwrite(old, ext, now, nomatch)
            return
        if at >= 0 or force:
            at = max(at, 0)
            old = bucket.slots[at]
            if old is not None:
                self._gone(old, region)
            self._put(bucket, at, key, region, ext, now, nomatch)
            return
        if full:
            raise SetError("HASH_FULL")
        self._grow(bucket, near)
        self._put(bucket, len(bucket.slots), key, region, ext, now, nomatch)

    def _full(self, region: int, now: int) -> tuple[bool, bool]:
        """(no room, something has to give way)."""
        if self.counts[region] < self.maxelem // self.regions:
            return False, False
        if self.ext.timed:
            self.collect(now, region)
        full = sum(self.counts) >= self.maxelem
        return full, full and self.forceadd

    def _spot(self, bucket: Bucket, key: Key, now: int, exist: bool) -> tuple[int, int]:
        """(position of the same element, or of the first hole or run-out one, or -1; how many share the network)."""
        spot, near = -1, 0
        for index, entry in enumerate(bucket.slots):
            if entry is None:
                spot = index if spot < 0 else spot
                continue
            equal, shared = self.same(entry.key, key)
            near += shared
            if equal:
                if exist or entry.expired(now):
                    return index, near
                raise SetError("EXIST")
            if spot < 0 and entry.expired(now):
                spot = index
        return spot, near

    def _grow(self, bucket: Bucket, near: int) -> None:
        if len(bucket.slots) < bucket.size:
            return
        if self.several:
            if self.bucketsize >= MAX_TUNED:
                raise SetError("HASH_FULL")
            if self.bucketsize <= near:
                self.bucketsize += INIT_SIZE
        if bucket.size >= self.bucketsize:
            raise Full
        bucket.size += INIT_SIZE
        self.bytes += self._bucket_bytes(INIT_SIZE)

    def _put(self, bucket: Bucket, at: int, key: Key, region: int, ext: Ext, now: int, nomatch: bool) -> None:
        entry = Entry(key, nomatch)
        bucket.put(at, entry)
        self.counts[region] += 1
        self.remember(key)
        self.ext.write(entry, ext, now)

    def _overwrite(self, entry: Entry, ext: Ext, now: int, nomatch: bool) -> None:
        entry.nomatch = nomatch
        self.ext.write(entry, ext, now)

    def _gone(self, entry: Entry, region: int) -> None:
        self.forget(entry.key)
        self.ext.drop(entry)
        self.counts[region] -= 1

    # -- deleting --------------------------------------------------------------------------------

    def remove(self, key: Key, now: int) -> None:
        """mtype_del. Raises SetError (EXIST)."""
        place = self.place(key)
        bucket = self.buckets.get(place)
        for index, entry in enumerate(bucket.slots if bucket else ()):
            if bucket is None or entry is None or not self.same(entry.key, key)[0]:
                continue
            if entry.expired(now):
                break
            self._gone(entry, self.region(place))
            bucket.clear(index)
            if index + 1 == len(bucket.slots):
                bucket.slots.pop()
            holes = bucket.slots.count(None)
            if holes == len(bucket.slots):
                self.bytes -= self._bucket_bytes(bucket.size)
                del self.buckets[place]
            elif holes >= INIT_SIZE:
                self._shrink(bucket)
            return
        raise SetError("EXIST")

    def _shrink(self, bucket: Bucket) -> None:
        bucket.close()
        self.bytes -= self._bucket_bytes(INIT_SIZE)

    def collect(self, now: int, region: int | None = None) -> None:
        """Throw out what has run out (mtype_gc_do)."""
        for place, bucket in list(self.buckets.items()):
            mine = self.region(place)
            if region is not None and mine != region:
                continue
            for index, entry in enumerate(bucket.slots):
                if entry is not None and entry.expired(now):
                    self._gone(entry, mine)
                    bucket.clear(index)
            holes = bucket.slots.count(None)
            if holes < INIT_SIZE:
                continue
            if holes >= bucket.size:
                self.bytes -= self._bucket_bytes(bucket.size)
                del self.buckets[place]
            else:
                self._shrink(bucket)

    # -- size ------------------------------------------------------------------------------------

    def _bucket_bytes(self, elements: int) -> int:
        return BUCKET_BYTES + elements * self.element

    def resize(self, now: int) -> None:
        """Twice as many buckets, and again until every element finds room (mtype_resize)."""
        entries = list(self.entries(now))
        bits = self.bits
        while True:
            bits += 1
            if bits > 31:
                raise SetError("HASH_FULL")
            if self._rebuilt(entries, bits):
                return

    def _rebuilt(self, entries: list[Entry], bits: int) -> bool:
        old = self.bits, self.buckets, self.counts, self.bytes
        self.bits = bits
        self.flush()
        for entry in entries:
            place = self.place(entry.key)
            bucket = self.buckets.get(place)
            if bucket is None:
                bucket = self.buckets[place] = Bucket()
                self.bytes += self._bucket_bytes(INIT_SIZE)
            elif len(bucket.slots) >= bucket.size:
                if bucket.size >= self.bucketsize:
                    self.bits, self.buckets, self.counts, self.bytes = old
                    return False
                bucket.size += INIT_SIZE
                self.bytes += self._bucket_bytes(INIT_SIZE)
            bucket.slots.append(entry)
            self.counts[self.region(place)] += 1
        return True
