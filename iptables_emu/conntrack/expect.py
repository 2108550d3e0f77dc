"""Expectations: connections that a helper has announced (kernel: nf_conntrack_expect.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.conntrack.tuples import ORIGINAL, Tuple

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn

LIFE_NS = 300 * 1_000_000_000  # of FTP's expectations


@dataclass(slots=True, eq=False)
class Expectation:
    """``src`` None is any source; ports 0 are any. ``saved_*`` say where the data connection really goes (NAT)."""

    master: Conn
    family: int
    src: int | None
    dst: int
    proto: int
    dport: int
    direction: int  # of the packet that announced it
    until: int
    saved_dst: int | None = None
    saved_port: int = 0
    nat: bool = False
    sport: int = 0

    def fits(self, key: Tuple) -> bool:
        return (key.family, key.dst, key.proto, key.dport) == (self.family, self.dst, self.proto, self.dport) and (
            self.src in (None, key.src) and self.sport in (0, key.sport)
        )

    def arrange(self, core: Conntrack, conn: Conn) -> None:
        """NAT of the data connection follows its master (nf_nat_follow_master)."""
        if not self.nat:
            return
        from iptables_emu.conntrack import nat
        from iptables_emu.conntrack.nat_range import NatRange

        source = self.master.tuples[self.direction].dst  # whom the announcing side talks to
        nat.setup(core, conn, NatRange(source, source), "src")
        assert self.saved_dst is not None
        nat.setup(core, conn, NatRange(self.saved_dst, self.saved_dst, self.saved_port, self.saved_port), "dst")


class Expectations:
    """Those that wait."""

    def __init__(self) -> None:
        self.waiting: list[Expectation] = []

    def add(self, expectation: Expectation) -> bool:
        """Wait for it; an equal one of the same master is replaced. False: another master has the tuple."""
        for other in list(self.waiting):
            same = (other.dst, other.dport, other.proto) == (expectation.dst, expectation.dport, expectation.proto)
            if same and other.master is not expectation.master:
                return False
            if same:
                self.waiting.remove(other)
        # FTP allows one at a time: the oldest goes
        mine = [e for e in self.waiting if e.master is expectation.master]
        if mine:
            self.waiting.remove(mine[0])
        self.waiting.append(expectation)
        return True

    def take(self, key: Tuple, zone: int) -> Expectation | None:
        """The expectation that this first packet fulfils, used up."""
        for expectation in self.waiting:
            if expectation.fits(key) and expectation.master.zone_of(ORIGINAL) == zone:
                self.waiting.remove(expectation)
                return expectation
        return None

    def forget(self, master: Conn) -> None:
        self.waiting = [e for e in self.waiting if e.master is not master]

    def expire(self, now: int) -> None:
        self.waiting = [e for e in self.waiting if e.until > now]
