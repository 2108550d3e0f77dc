"""Expectations: connections that a helper has announced (kernel: nf_conntrack_expect.c)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.conntrack.helpers import arrived
from iptables_emu.conntrack.tuples import GRE, ORIGINAL, Tuple
from iptables_emu.model.address import show

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn

SECOND = 1_000_000_000
MOST_ATTEMPTS = 128
MOST_PORT = 65535
# outcomes of Expectations.related
WAITS, BUSY, ALREADY = "waits", "busy", "already"


@dataclass(slots=True, eq=False)
class Expectation:
    """One connection to come; None for ``src`` and ``sport`` is any.

    ``nat``: its translation follows that of the master, whose ``direction`` tells between whom it is and whose
    announcing side listens at ``saved_port``. ``by_helper``: the helper arranges it. ``permanent``:
    many connections may fulfil it; ``inactive``: none yet. ``kind`` is the helper's class of expectations, of which a
    master has ``most``; ``helper`` is what the new connection gets.
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
    sport: int | None = None
    src_mask: int | None = None  # None is all bits
    permanent: bool = False
    inactive: bool = False
    kind: int = 0
    helper: str = ""
    nat: bool = False
    saved_addr: int = 0
    saved_port: int = 0
    by_helper: bool = False
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
            and self.sport in (None, key.sport)
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
            and (self.sport == other.sport or None in (self.sport, other.sport))
        )

    @property
    def there(self) -> tuple[int, int, int, int]:
        return self.family, self.dst, self.proto, self.dport

    @property
    def zone(self) -> int:
        return self.master.zone_of(ORIGINAL)

    def arrange(self, core: Conntrack, conn: Conn) -> None:
        """NAT of the data connection follows its master (nf_nat_follow_master), unless the helper knows better."""
        if self.by_helper:
            arrived(core, conn, self)
            return
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
        addresses = Tuple(self.family, self.src or 0, self.dst, 0).text()
        words = [str(max(0, self.until - now) // SECOND), f"proto={self.proto}", addresses]
        words.append(_ends(self.proto, self.sport or 0, self.dport))
        words.append(f"mask-src={show(self.mask, self.family)} mask-dst={show(every, self.family)}")
        words.append(_ends(self.proto, 0 if self.sport is None else MOST_PORT, MOST_PORT))
        master = self.master.original
        words.append(f"master-src={show(master.src, self.family)} master-dst={show(master.dst, self.family)}")
        words.append(_ends(master.proto, master.sport, master.dport))
        flags = [name for name, given in (("PERMANENT", self.permanent), ("INACTIVE", self.inactive)) if given]
        if flags:
            words.append(",".join(flags))
        words.append(f"class={self.kind} helper={self.master.helper}")
        return " ".join(words)


def _ends(proto: int, sport: int, dport: int) -> str:
    return f"srckey={sport:#x} dstkey={dport:#x}" if proto == GRE else f"sport={sport} dport={dport}"


class Expectations:
    """Those that wait, the newest first; ``heard`` is told of each that comes ("new") or goes ("destroy")."""

    def __init__(self, heard: Callable[[Expectation, str], None] = lambda one, kind: None) -> None:
        self.waiting: list[Expectation] = []
        self.heard = heard

    def remove(self, one: Expectation) -> None:
        if one in self.waiting:
            self.waiting.remove(one)
            self.heard(one, "destroy")

    def related(self, new: Expectation, now: int, *, any_master: bool = False) -> str:
        """Wait for it; an equal one of the same master and class is replaced, and the oldest of a class goes when
        there are too many. BUSY: another one may want the same packets; ALREADY: an equal one of another class or, with
        ``any_master``, of another master waits (nf_ct_expect_related).
        """
        for other in self.waiting:
            if (any_master or other.master is new.master) and other.same(new):
                if other.kind != new.kind or other.master is not new.master:
                    return ALREADY
                self.remove(other)
                break
            if other.clashes(new):
                return BUSY
        mine = [e for e in self.of(new.master) if e.kind == new.kind]
        if len(mine) >= new.most:
            self.remove(mine[-1])
        new.until = now + new.seconds * SECOND
        self.waiting.insert(0, new)
        self.heard(new, "new")
        return WAITS

    def add(self, new: Expectation, now: int) -> bool:
        """Whether it waits now."""
        return self.related(new, now) == WAITS

    def add_at_port(self, new: Expectation, now: int, rng: random.Random) -> bool:
        """Wait at its port, or where that is busy at a random one above it (nf_nat_exp_find_port)."""
        lowest = new.dport
        span = MOST_PORT - lowest
        for _ in range(min(span, MOST_ATTEMPTS) + 1):
            outcome = self.related(new, now)
            if outcome != BUSY:
                return outcome == WAITS and new.dport != 0  # to the kernel port 0 says that none is left
            new.dport = lowest + rng.randrange(span) if span else lowest
        return False

    def of(self, master: Conn) -> list[Expectation]:
        """Those of a connection, the newest first."""
        return [e for e in self.waiting if e.master is master]

    def find(self, key: Tuple, zone: int) -> Expectation | None:
        """The newest that a packet would fulfil, were it active (nf_ct_expect_find_get)."""
        return next((e for e in self.waiting if e.fits(key) and e.zone == zone), None)

    def take(self, key: Tuple, zone: int) -> Expectation | None:
        """The expectation that this first packet fulfils, used up unless it is permanent."""
        for expectation in self.waiting:
            if not expectation.inactive and expectation.fits(key) and expectation.zone == zone:
                if not expectation.master.confirmed:
                    return None
                if not expectation.permanent:
                    self.remove(expectation)
                return expectation
        return None

    def forget(self, master: Conn) -> None:
        for one in self.of(master):
            self.remove(one)

    def expire(self, now: int) -> None:
        for one in [e for e in self.waiting if e.until <= now]:
            self.remove(one)
