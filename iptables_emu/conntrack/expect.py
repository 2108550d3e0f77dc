"""Expectations: connections that a helper has announced (kernel: nf_conntrack_expect.c)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.conntrack.tuples import ORIGINAL, WITH_PORTS, Tuple
from iptables_emu.model.address import show

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn

SECOND = 1_000_000_000
MOST_ATTEMPTS = 128
MOST_PORT = 65535


@dataclass(slots=True, eq=False)
class Expectation:
    """One connection to come; None for ``src`` and 0 for ``sport`` are any.

    ``nat``: its translation follows that of the master, whose ``direction`` tells between whom it is and whose
    announcing side listens at ``saved_port``. ``permanent``: many connections may fulfil it.
    """

    master: Conn
    family: int
    src: int | None
    dst: int
    proto: int
    dport: int
    direction: int = ORIGINAL
    seconds: int = 300
    most: int = 1  # of one master
    sport: int = 0
    src_mask: int | None = None  # None is all bits
    permanent: bool = False
    nat: bool = False
    saved_port: int = 0
    until: int = 0

    @property
    def mask(self) -> int:
        """Which bits of the source count."""
        if self.src is None:
            return 0
        every = (1 << (32 if self.family == 4 else 128)) - 1
        return every if self.src_mask is None else self.src_mask

    def fits(self, key: Tuple) -> bool:
        return (
            (key.family, key.dst, key.proto, key.dport) == (self.family, self.dst, self.proto, self.dport)
            and ((self.src or 0) ^ key.src) & self.mask == 0
            and self.sport in (0, key.sport)
        )

    def same(self, other: Expectation) -> bool:
        """Whether they want exactly the same."""
        mine, theirs = ((e.src, e.mask, e.sport, e.zone) for e in (self, other))
        return mine == theirs and self.there == other.there

    def clashes(self, other: Expectation) -> bool:
        """Whether one packet could fulfil both."""
        both = self.mask & other.mask
        return (
            self.there == other.there
            and self.zone == other.zone
            and ((self.src or 0) ^ (other.src or 0)) & both == 0
            and (self.sport == other.sport or not (self.sport and other.sport))
        )

    @property
    def there(self) -> tuple[int, int, int, int]:
        return self.family, self.dst, self.proto, self.dport

    @property
    def zone(self) -> int:
        return self.master.zone_of(ORIGINAL)

    def arrange(self, core: Conntrack, conn: Conn) -> None:
        """NAT of the data connection follows its master (nf_nat_follow_master)."""
        if not self.nat:
            return
        from iptables_emu.conntrack import nat
        from iptables_emu.conntrack.nat_range import NatRange

        between = self.master.tuples[self.direction]
        nat.setup(core, conn, NatRange(between.dst, between.dst), "src")
        nat.setup(core, conn, NatRange(between.src, between.src, self.saved_port, self.saved_port), "dst")

    def text(self, now: int) -> str:
        """As ``conntrack -L expect`` prints it."""
        every = (1 << (32 if self.family == 4 else 128)) - 1
        ports = self.proto in WITH_PORTS
        words = [str(max(0, self.until - now) // SECOND), f"proto={self.proto}"]
        words.append(Tuple(self.family, self.src or 0, self.dst, self.proto, self.sport, self.dport).text())
        words.append(f"mask-src={show(self.mask, self.family)} mask-dst={show(every, self.family)}")
        if ports:
            words.append(f"sport={MOST_PORT if self.sport else 0} dport={MOST_PORT}")
        master = self.master.original
        words.append(f"master-src={show(master.src, self.family)} master-dst={show(master.dst, self.family)}")
        if master.proto in WITH_PORTS:
            words.append(f"sport={master.sport} dport={master.dport}")
        if self.permanent:
            words.append("PERMANENT")
        words.append(f"class=0 helper={self.master.helper}")
        return " ".join(words)


class Expectations:
    """Those that wait, the newest first; ``heard`` is told of each that comes ("new") or goes ("destroy")."""

    def __init__(self, heard: Callable[[Expectation, str], None] = lambda one, kind: None) -> None:
        self.waiting: list[Expectation] = []
        self.heard = heard

    def remove(self, one: Expectation) -> None:
        self.waiting.remove(one)
        self.heard(one, "destroy")

    def add(self, new: Expectation, now: int) -> bool:
        """Wait for it; an equal one of the same master is replaced, and the oldest goes when there are too many.

        False: another one may want the same packets.
        """
        for other in self.waiting:
            if other.master is new.master and other.same(new):
                self.remove(other)
                break
            if other.clashes(new):
                return False
        mine = [e for e in self.waiting if e.master is new.master]
        if len(mine) >= new.most:
            self.remove(mine[-1])
        new.until = now + new.seconds * SECOND
        self.waiting.insert(0, new)
        self.heard(new, "new")
        return True

    def add_at_port(self, new: Expectation, now: int, rng: random.Random) -> bool:
        """Wait at its port, or where that is busy at a random one above it (nf_nat_exp_find_port)."""
        lowest = new.dport
        span = MOST_PORT - lowest
        for _ in range(min(span, MOST_ATTEMPTS) + 1):
            if self.add(new, now):
                return True
            new.dport = lowest + rng.randrange(span) if span else lowest
        return False

    def take(self, key: Tuple, zone: int) -> Expectation | None:
        """The expectation that this first packet fulfils, used up unless it is permanent."""
        for expectation in self.waiting:
            if expectation.fits(key) and expectation.zone == zone:
                if not expectation.master.confirmed:
                    return None
                if not expectation.permanent:
                    self.remove(expectation)
                return expectation
        return None

    def forget(self, master: Conn) -> None:
        for one in [e for e in self.waiting if e.master is master]:
            self.remove(one)

    def expire(self, now: int) -> None:
        for one in [e for e in self.waiting if e.until <= now]:
            self.remove(one)
