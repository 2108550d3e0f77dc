"""The lists of the recent match (kernel: xt_recent.c; the module's parameters are the default ones)."""

from __future__ import annotations

from dataclasses import dataclass

from iptables_emu.ext.widemask import narrow_mask

MOST_ENTRIES = 100  # ip_list_tot
FEWEST_STAMPS = 32

Key = tuple[int, int]  # family, address


@dataclass(slots=True)
class Entry:
    """When an address was seen: a ring of jiffies, ``index`` the place of the next one."""

    ttl: int
    stamps: list[int]
    index: int


class RecentList:
    """Entries in the order of their last use, the oldest first. ``mask`` has 128 bits for both families."""

    def __init__(self, mask: int) -> None:
        self._mask = mask
        self._ring = 0
        self._entries: dict[Key, Entry] = {}

    def remember(self, hits: int) -> None:
        """Make room for that many stamps an entry (a power of two); a list that grows is emptied."""
        ring = 1 << (hits - 1).bit_length() if hits else FEWEST_STAMPS
        if ring > self._ring:
            self._entries.clear()
            self._ring = ring

    def masked(self, address: int, family: int) -> int:
        return address & narrow_mask(self._mask, family)

    def find(self, key: Key, ttl: int) -> Entry | None:
        """The entry, if its TTL is ``ttl`` (0 on either side fits any)."""
        entry = self._entries.get(key)
        return entry if entry is not None and (ttl == 0 or entry.ttl in (0, ttl)) else None

    def add(self, key: Key, ttl: int, now: int) -> None:
        if len(self._entries) >= MOST_ENTRIES:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = Entry(ttl, [now], 1)

    def touch(self, key: Key, ttl: int, now: int) -> None:
        """Note the address again."""
        entry = self._entries.pop(key)
        place = entry.index & self._ring - 1
        entry.stamps[place : place + 1] = [now]
        entry.index, entry.ttl = place + 1, ttl
        self._entries[key] = entry

    def remove(self, key: Key) -> None:
        del self._entries[key]

    def reap(self, since: int, spared: Key | None) -> None:
        """Drop the entry that was used longest ago if its last stamp is older than ``since``."""
        key = next(iter(self._entries))
        entry = self._entries[key]
        if key != spared and entry.stamps[entry.index - 1] < since:
            del self._entries[key]
