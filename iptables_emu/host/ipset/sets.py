"""All sets of a host (kernel: ip_set_core.c)."""

from __future__ import annotations

import random
from collections.abc import Iterator

from iptables_emu.host.ipset.base import BaseSet
from iptables_emu.host.ipset.bitmaps import BitmapSet
from iptables_emu.host.ipset.element import ADD, NS_PER_TICK, TEST, Ext, Look, Request, SetError
from iptables_emu.host.ipset.extensions import Options
from iptables_emu.host.ipset.hashes import HashSet
from iptables_emu.host.ipset.kinds import KINDS
from iptables_emu.host.ipset.lists import ListSet
from iptables_emu.host.ipset.packets import View, key_of

MAX_SETS = 65535


class IpSets:
    """The table of sets. ``now`` is the time in nanoseconds since the epoch and is set by the caller.

    ``rules`` counts the rules that name a set; such a set cannot be destroyed. Functions raise SetError.
    """

    def __init__(self, now: int = 0, seed: int = 0) -> None:
        self.now = now
        self.rules: dict[str, int] = {}
        self.rng = random.Random(seed)
        self.table: list[BaseSet | None] = []
        self._places: dict[str, int] = {}

    @property
    def tick(self) -> int:
        return self.now // NS_PER_TICK

    def __iter__(self) -> Iterator[BaseSet]:
        """All sets, lists last, as a listing tells them."""
        every = [s for s in self.table if s is not None]
        yield from (s for s in every if not isinstance(s, ListSet))
        yield from (s for s in every if isinstance(s, ListSet))

    def families(self) -> frozenset[tuple[str, int]]:
        """(name, family) of each set, for the parser of rules."""
        return frozenset((s.name, s.family) for s in self)

    def _changed(self) -> None:
        """Names or places are others now."""
        self._places = {s.name: i for i, s in enumerate(self.table) if s is not None}

    def place(self, name: str) -> int | None:
        """A set's place in the table."""
        return self._places.get(name)

    def at(self, place: int) -> BaseSet | None:
        return self.table[place]

    def find(self, name: str) -> BaseSet | None:
        place = self._places.get(name)
        return None if place is None else self.table[place]

    def get(self, name: str) -> BaseSet:
        found = self.find(name)
        if found is None:
            raise SetError("ENOENT")
        return found

    def references(self, one: BaseSet) -> int:
        """How often rules and lists name a set."""
        place = self.table.index(one)
        lists = (s for s in self.table if isinstance(s, ListSet))
        return self.rules.get(one.name, 0) + sum(e.key.ip == place for s in lists for e in s.members)

    # -- user space ------------------------------------------------------------------------------

    def create(self, name: str, kind: str, options: Options, exist: bool = False) -> None:
        """A new set of a type."""
        made = self._make(kind, options)
        made.name = name
        clash = self.find(name)
        if clash is not None:
            if exist and clash.kind is made.kind and made.same(clash):
                return
            raise SetError("EEXIST")
        if None in self.table:
            self.table[self.table.index(None)] = made
        elif len(self.table) >= MAX_SETS:
            raise SetError("MAX_SETS")
        else:
            self.table.append(made)
        self._changed()

    def _make(self, kind: str, options: Options) -> BaseSet:
        known = KINDS.get(kind)
        if known is None:
            raise SetError("FIND_TYPE")
        if kind == "list:set":
            return ListSet(known, options, self.tick, self)
        if kind.startswith("bitmap:"):
            return BitmapSet(known, options, self.tick)
        return HashSet(known, options, self.tick, self.rng.getrandbits(32))

    def destroy(self, name: str | None = None, exist: bool = False) -> None:
        """One set or all."""
        if name is None:
            if any(self.references(s) for s in self):
                raise SetError("BUSY")
            self.table.clear()
            self._changed()
            return
        found = self.find(name)
        if found is None:
            if exist:
                return
            raise SetError("ENOENT")
        if self.references(found):
            raise SetError("BUSY")
        self.table[self.table.index(found)] = None
        self._changed()

    def flush(self, name: str | None = None) -> None:
        for one in list(self) if name is None else [self.get(name)]:
            one.flush()

    def rename(self, name: str, new: str) -> None:
        one = self.get(name)
        if self.references(one):
            raise SetError("REFERENCED")
        if self.find(new) is not None:
            raise SetError("EXIST_SETNAME2")
        one.name = new
        self._changed()

    def swap(self, name: str, other: str) -> None:
        """Each set takes the other's name, place and references."""
        one, two = self.get(name), self.find(other)
        if two is None:
            raise SetError("EXIST_SETNAME2")
        if one.kind.features != two.kind.features or one.family != two.family:
            raise SetError("TYPE_MISMATCH")
        here, there = self.table.index(one), self.table.index(two)
        one.name, two.name = two.name, one.name
        self.table[here], self.table[there] = two, one
        self._changed()

    def change(self, name: str, request: Request, do: str, exist: bool = False) -> None:
        """Add or delete elements."""
        self.get(name).change(request, do, exist, self.tick)

    def test(self, name: str, request: Request) -> bool:
        """Whether an element is in a set."""
        one = self.get(name)
        try:
            return one.test(request, self.tick)
        except SetError:
            return False

    # -- packets ---------------------------------------------------------------------------------

    def packet_test(self, one: BaseSet, view: View, look: Look) -> bool:
        """Whether a set holds a packet (ip_set_test)."""
        if not _fits(one, view):
            return False
        if isinstance(one, ListSet):
            return self._list_test(one, view, look)
        try:
            key = key_of(one.kind, view)
            found = one.by_packet(key, TEST, look, Ext(), False, self.tick)
        except SetError as error:
            if error.code != "EAGAIN":
                return False
            # bitmap:ip,mac learns the MAC address of an element from a packet
            self.packet_change(one, view, ADD, Ext(), False)
            return True
        if look.return_nomatch and one.kind.nomatch:
            return found is False
        return found is True

    def _list_test(self, one: ListSet, view: View, look: Look) -> bool:
        """list_set_ktest: the first member that holds the packet, if its own counters and timeout allow."""
        counters, skip = look.counters, look.skip_counters
        look.counters = None
        look.skip_counters = skip or look.skip_subcounters
        try:
            for entry, member in one.each(TEST, self.tick):
                if not self.packet_test(member, view, look):
                    continue
                mine = Look(look.octets, counters, skip_counters=skip)
                if one.ext.match(entry, mine, self.tick):
                    look.found = mine.found or look.found
                    return True
            return False
        finally:
            look.counters, look.skip_counters = counters, skip

    def packet_change(self, one: BaseSet, view: View, do: str, ext: Ext, exist: bool) -> bool:
        """Add or delete a packet (ip_set_add, ip_set_del); False: it did not work."""
        if not _fits(one, view):
            return False
        if isinstance(one, ListSet):
            any(self.packet_change(member, view, do, ext, exist) for _, member in one.each(do, self.tick))
            return True
        counted = Ext(ext.timeout, 1, len(view.pkt.data))
        try:
            one.by_packet(key_of(one.kind, view), do, Look(), counted, exist, self.tick)
        except SetError:
            return False
        return True


def _fits(one: BaseSet, view: View) -> bool:
    """Whether a rule looks at as many dimensions as the set has, in its family."""
    return len(view.dims) >= one.kind.dimension and one.family in (0, view.pkt.family)
