"""list:set: a list of other sets, tried in order (kernel: ip_set_list_set.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from iptables_emu.host.ipset.base import BaseSet
from iptables_emu.host.ipset.element import ADD, DEL, TEST, Entry, Ext, Key, Look, Request, SetError
from iptables_emu.host.ipset.extensions import Options
from iptables_emu.host.ipset.kinds import Kind

if TYPE_CHECKING:
    from iptables_emu.host.ipset.sets import IpSets

DEFAULT_SIZE, MIN_SIZE = 8, 4


class ListSet(BaseSet):
    """Members are places in the table of sets: a swap puts another set there. ``Key.ip`` holds the place."""

    def __init__(self, kind: Kind, options: Options, now: int, sets: IpSets) -> None:
        super().__init__(kind, options, now)
        self.family = 0
        self.size = max(MIN_SIZE, DEFAULT_SIZE if options.size is None else options.size)
        self.sets = sets
        self.members: list[Entry] = []
        self.number = 0

    # -- user space ------------------------------------------------------------------------------

    def _places(self, r: Request) -> tuple[int, int | None]:
        """(place of the member, place of the one it refers to). Raises SetError."""
        self.ext.check(r)
        place = self.sets.place(r.name)
        if place is None:
            raise SetError("NAME")
        found = self.sets.at(place)
        if found is not None and "name" in found.kind.features:
            raise SetError("LOOP")
        if r.before and not r.nameref:
            raise SetError("BEFORE")
        if not r.nameref:
            return place, None
        other = self.sets.place(r.nameref)
        if other is None:
            raise SetError("NAMEREF")
        return place, other

    def change(self, request: Request, do: str, exist: bool, now: int) -> None:
        self.collect(now)
        place, other = self._places(request)
        if self.ext.timed:
            self._clean(now)
        try:
            if do == ADD:
                self._add(place, other, request.before, request.ext, exist, now)
            elif do == DEL:
                self._remove(place, other, request.before)
        except SetError as error:
            if error.code != "EXIST" or not exist:
                raise

    def _add(self, place: int, other: int | None, before: bool, ext: Ext, exist: bool, now: int) -> None:
        same = self._index(place)
        near = None if other is None or other == place else self._index(other)
        if other is not None and near is None:
            raise SetError("REF_EXIST")
        if same is not None:
            if not exist:
                raise SetError("EXIST")
            self.ext.drop(self.members[same])
            self.ext.write(self.members[same], ext, now)
            return
        entry = Entry(Key(ip=place))
        self.ext.write(entry, ext, now)
        self.members.insert(len(self.members) if near is None else near if before else near + 1, entry)
        self.number += 1

    def _index(self, place: int) -> int | None:
        return next((i for i, e in enumerate(self.members) if e.key.ip == place), None)

    def _stands(self, index: int, other: int | None, before: bool) -> bool:
        """Whether the member stands just before (after) the other one."""
        if other is None:
            return True
        beside = index + 1 if before else index - 1
        return 0 <= beside < len(self.members) and self.members[beside].key.ip == other

    def _remove(self, place: int, other: int | None, before: bool) -> None:
        index = self._index(place)
        if index is None or not self._stands(index, other, before):
            raise SetError("EXIST" if other is None else "REF_EXIST")
        self._drop(self.members[index])

    def _drop(self, entry: Entry) -> None:
        self.members.remove(entry)
        self.ext.drop(entry)
        self.number -= 1

    def test(self, request: Request, now: int) -> bool:
        self.collect(now)
        place, other = self._places(request)
        alive = [e for e in self.members if not e.expired(now)]
        index = next((i for i, e in enumerate(alive) if e.key.ip == place), None)
        if index is None or other is None:
            return index is not None
        if not request.before:
            return index > 0 and alive[index - 1].key.ip == other
        whole = self.members.index(alive[index]) + 1
        return whole < len(self.members) and self.members[whole].key.ip == other

    # -- packets ---------------------------------------------------------------------------------

    def each(self, do: str, now: int) -> Iterator[tuple[Entry, BaseSet]]:
        """The members that a packet is tried on; for a test also those that have run out."""
        self.collect(now)
        for entry in list(self.members):
            found = self.sets.at(entry.key.ip)
            if found is not None and (do == TEST or not entry.expired(now)):
                yield entry, found

    def by_packet(self, key: Key, do: str, look: Look, ext: Ext, exist: bool, now: int) -> bool | None:
        raise NotImplementedError  # the table of sets goes through the members

    # -- the rest --------------------------------------------------------------------------------

    def flush(self) -> None:
        self.members.clear()
        self.number = 0
        self.ext.comment_bytes = 0

    def entries(self, now: int) -> Iterator[Entry]:
        self.collect(now)
        return (e for e in self.members if not e.expired(now))

    def count(self, now: int) -> int:
        self.collect(now)
        return self.number

    def _clean(self, now: int) -> None:
        for entry in [e for e in self.members if e.expired(now)]:
            self._drop(entry)

    def collect(self, now: int) -> None:
        if not self.ext.timed or now < self.next_collection:
            return
        period = self.collection_period
        last = self.next_collection + (now - self.next_collection) // period * period
        self._clean(last)
        self.next_collection = last + period

    def memory(self, now: int) -> int:
        self.collect(now)
        each = self.ext.element_bytes(self.kind.sizes[0], 8)
        return self.kind.heads[0] + len(self.members) * each + self.ext.comment_bytes

    def same(self, other: BaseSet) -> bool:
        return isinstance(other, ListSet) and self.size == other.size and self.ext.same(other.ext)
