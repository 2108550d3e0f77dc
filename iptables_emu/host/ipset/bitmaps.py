"""The bitmap types: one place for each value of a range (kernel: ip_set_bitmap_gen.h, ip_set_bitmap_*.c)."""

from __future__ import annotations

from collections.abc import Iterator

from iptables_emu.host.ipset.base import BaseSet
from iptables_emu.host.ipset.element import ADD, DEL, TEST, Entry, Ext, Key, Look, Request, SetError, expiry
from iptables_emu.host.ipset.extensions import Options
from iptables_emu.host.ipset.kinds import Kind
from iptables_emu.host.ipset.ranges import ALL, mask_range, ordered
from iptables_emu.model.address import prefix_mask

MAX_RANGE = 0x10000
TCP, UDP = 6, 17


class BitmapSet(BaseSet):
    """Places are numbers from 0; ``hosts`` addresses share one (bitmap:ip with netmask)."""

    def __init__(self, kind: Kind, options: Options, now: int) -> None:
        super().__init__(kind, options, now)
        self.hosts, self.netmask = 1, 32
        if kind.name == "bitmap:port":
            self.family = 0
            self.first, self.last = ordered(options.port or 0, options.port_to or 0)
            self.places = self.last - self.first + 1
        else:
            self.family = 4
            self._addresses(options)
        if self.places > MAX_RANGE:
            raise SetError("BITMAP_RANGE_SIZE")
        self.members: dict[int, Entry] = {}
        self.stale: dict[int, Entry] = {}  # what lies in the memory of elements that are gone
        self.number = 0

    def _addresses(self, options: Options) -> None:
        first = options.ip or 0
        if options.ip_to is not None:
            self.first, self.last = ordered(first, options.ip_to)
        elif options.cidr is not None:
            if options.cidr >= 32:
                raise SetError("INVALID_CIDR")
            self.first, self.last = mask_range(first, options.cidr)
        else:
            raise SetError("PROTOCOL")
        if options.netmask is not None:
            self.netmask = options.netmask
            mask = prefix_mask(self.netmask, 4)
            self.first, self.last = self.first & mask, self.last | ALL & ~mask
        self.places = self.last - self.first + 1
        if self.netmask == 32:
            return
        bits, mask = _common(self.first, self.last)
        if (not mask and (self.first or self.last != ALL)) or self.netmask <= bits:
            raise SetError("BITMAP_RANGE")
        self.hosts, self.places = 1 << 32 - self.netmask, 1 << self.netmask - bits

    def place(self, value: int) -> int:
        if self.kind.name == "bitmap:ip":
            value &= prefix_mask(self.netmask, 4)
        return (value - self.first) // self.hosts & 0xFFFF

    def value(self, place: int) -> int:
        return self.first + place * self.hosts

    # -- one element -----------------------------------------------------------------------------

    def _add(self, place: int, mac: int | None, ext: Ext, exist: bool, now: int) -> None:
        """bitmap's mtype_add with the MAC of bitmap:ip,mac. Raises SetError."""
        with_mac = self.kind.name == "bitmap:ip,mac"
        old = self.members.get(place)
        entry = old or self._fresh(place)
        stored = None
        if old is not None and with_mac and not old.filled and mac is not None:
            stored = old.expires
        elif old is not None:
            if not ((self.ext.timed and _run_out(old, now)) or exist):
                raise SetError("EXIST")
            if mac is not None and exist and old.filled:
                entry.key = entry.key._replace(mac=mac)
            self.ext.drop(entry)
        self.number -= old is not None
        if with_mac and mac is not None and (old is None or not old.filled):
            entry.key, entry.filled = entry.key._replace(mac=mac), True
        elif with_mac and old is None:
            entry.filled = False
        self._write(entry, place, ext, stored, mac, now)

    def _fresh(self, place: int) -> Entry:
        value = self.value(place)
        key = Key(port=value) if self.kind.name == "bitmap:port" else Key(ip=value)
        entry = Entry(key)
        stale = self.stale.pop(place, None)
        if stale is not None:
            entry.packets, entry.octets = stale.packets, stale.octets
        return entry

    def _write(self, entry: Entry, place: int, ext: Ext, stored: int | None, mac: int | None, now: int) -> None:
        self.ext.write(entry, ext, now)
        if self.ext.timed and self.kind.name == "bitmap:ip,mac":
            seconds = self.ext.seconds(ext)
            if stored is not None and seconds == self.ext.timeout:
                seconds = stored
            entry.expires = seconds if mac is None else expiry(seconds, now)
        self.members[place] = entry
        self.number += 1

    def _remove(self, place: int, now: int) -> None:
        entry = self.members.pop(place, None)
        if entry is None:
            raise SetError("EXIST")
        self.stale[place] = entry
        self.ext.drop(entry)
        self.number -= 1
        if self.ext.timed and _run_out(entry, now):
            raise SetError("EXIST")

    def _find(self, place: int, mac: int | None) -> Entry | None:
        """The element, when its MAC does not speak against it. Raises SetError EAGAIN when it has none yet."""
        entry = self.members.get(place)
        if entry is None or self.kind.name != "bitmap:ip,mac":
            return entry
        if mac is not None and entry.filled:
            return entry if entry.key.mac == mac else None
        raise SetError("EAGAIN")

    # -- user space ------------------------------------------------------------------------------

    def _range(self, r: Request) -> tuple[int, int]:
        """First and last value. Raises SetError."""
        if self.kind.name == "bitmap:port":
            value, to = r.port or 0, r.port_to
        else:
            value, to = r.ip or 0, r.ip_to
        if self.kind.name != "bitmap:port":
            self.ext.check(r)
        if not self.first <= value <= self.last:
            raise SetError("BITMAP_RANGE")
        if self.kind.name == "bitmap:port":
            self.ext.check(r)
        if self.kind.name == "bitmap:ip,mac":
            return value, value
        if to is not None:
            first, last = ordered(value, to)
            if first < self.first:
                raise SetError("BITMAP_RANGE")
        elif r.cidr is not None and self.kind.name == "bitmap:ip":
            if not 0 < r.cidr <= 32:
                raise SetError("INVALID_CIDR")
            first, last = mask_range(value, r.cidr)
        else:
            first = last = value
        if last > self.last:
            raise SetError("BITMAP_RANGE")
        return first, last

    def change(self, request: Request, do: str, exist: bool, now: int) -> None:
        self.collect(now)
        first, last = self._range(request)
        for value in range(first, last + 1, self.hosts):
            try:
                if do == ADD:
                    self._add(self.place(value), request.mac, request.ext, exist, now)
                else:
                    self._remove(self.place(value), now)
            except SetError as error:
                if error.code != "EXIST" or not exist:
                    raise

    def test(self, request: Request, now: int) -> bool:
        self.collect(now)
        value = (request.port if self.kind.name == "bitmap:port" else request.ip) or 0
        self.ext.check(request)
        if not self.first <= value <= self.last:
            return False
        try:
            entry = self._find(self.place(value), request.mac)
        except SetError:
            return True
        return entry is not None and self.ext.match(entry, Look(), now)

    # -- packets ---------------------------------------------------------------------------------

    def by_packet(self, key: Key, do: str, look: Look, ext: Ext, exist: bool, now: int) -> bool | None:
        self.collect(now)
        value = key.port if self.kind.name == "bitmap:port" else key.ip
        if self.kind.name == "bitmap:port" and key.proto not in (TCP, UDP):
            raise SetError("EINVAL")
        if not self.first <= value <= self.last:
            raise SetError("BITMAP_RANGE")
        place = self.place(value)
        if do == TEST:
            entry = self._find(place, key.mac)
            return True if entry is not None and self.ext.match(entry, look, now) else None
        if do == ADD:
            self._add(place, key.mac, ext, exist, now)
        elif do == DEL:
            self._remove(place, now)
        return True

    # -- the rest --------------------------------------------------------------------------------

    def flush(self) -> None:
        for entry in self.members.values():
            self.ext.drop(entry)
        self.stale.update(self.members)
        self.members.clear()
        self.number = 0
        self.ext.comment_bytes = 0

    def entries(self, now: int) -> Iterator[Entry]:
        self.collect(now)
        return (e for _, e in sorted(self.members.items()) if not e.expired(now))

    def count(self, now: int) -> int:
        self.collect(now)
        return self.number

    def collect(self, now: int) -> None:
        if not self.ext.timed or now < self.next_collection:
            return
        period = self.collection_period
        last = self.next_collection + (now - self.next_collection) // period * period
        for place, entry in list(self.members.items()):
            if entry.expired(last):
                self.stale[place] = self.members.pop(place)
                self.ext.drop(entry)
                self.number -= 1
        self.next_collection = last + period

    def memory(self, now: int) -> int:
        self.collect(now)
        each = self.ext.element_bytes(self.kind.sizes[0], 8 if self.kind.sizes[0] else 1)
        return self.kind.heads[0] + -(-self.places // 64) * 8 + self.places * each + self.ext.comment_bytes

    @property
    def shown_netmask(self) -> int | None:
        return self.netmask if self.netmask != 32 else None

    def same(self, other: BaseSet) -> bool:
        return (isinstance(other, BitmapSet) and (self.first, self.last, self.netmask) == (
            other.first, other.last, other.netmask) and self.ext.same(other.ext))  # fmt: skip


def _run_out(entry: Entry, now: int) -> bool:
    """As the kernel looks at the bare number: seconds that wait for a MAC address always seem to have run out."""
    return entry.expires != 0 and entry.expires < now


def _common(first: int, last: int) -> tuple[int, int]:
    """(leading bits that a range has in common, as a mask) as range_to_mask finds them."""
    mask, bits = 0xFFFFFFFE, 32
    while True:
        bits -= 1
        if not (bits > 0 and mask and last & mask != first):
            return bits, mask
        mask = mask << 1 & ALL
