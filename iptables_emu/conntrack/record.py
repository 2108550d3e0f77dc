"""What the kernel tells of connections: entries as ctnetlink dumps them, events, and counters.

(kernel: nf_conntrack_ecache.c, nf_conntrack_netlink.c)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.jhash import jhash2
from iptables_emu.conntrack.tuples import Tuple

if TYPE_CHECKING:
    from iptables_emu.conntrack.expect import Expectation
    from iptables_emu.conntrack.table import Conn

SECOND = 1_000_000_000
NEW, UPDATE, DESTROY = "new", "update", "destroy"
# enum ip_conntrack_events, as bits
(IPCT_NEW, IPCT_RELATED, IPCT_DESTROY, IPCT_REPLY, IPCT_ASSURED, IPCT_PROTOINFO, IPCT_HELPER, IPCT_MARK, IPCT_SEQADJ,
 IPCT_SECMARK, IPCT_LABEL, IPCT_SYNPROXY) = (1 << bit for bit in range(12))  # fmt: skip
IPEXP_NEW, IPEXP_DESTROY = 1, 2
BY_PROGRAM = IPCT_REPLY | IPCT_ASSURED | IPCT_HELPER | IPCT_PROTOINFO | IPCT_SEQADJ | IPCT_MARK | IPCT_SYNPROXY


@dataclass(frozen=True, slots=True)
class Entry:
    """One connection in one message; None, 0 or "" where the message does not tell it. ``timeout`` in seconds."""

    original: Tuple
    reply: Tuple
    status: int
    timeout: int | None = None
    tcp: str = ""
    sctp: str = ""
    tags: tuple[int, ...] = ()
    counters: tuple[int, ...] = ()  # packets and bytes of the original direction, then of the reply
    mark: int | None = None
    zone: int = 0
    zone_dir: str = ""
    helper: str = ""
    labels: int = 0
    use: int | None = None
    ident: int = 0
    start: int = 0  # ns since the epoch
    stop: int = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """One expectation in one message."""

    tuple: Tuple
    mask: Tuple
    master: Tuple
    timeout: int
    permanent: bool
    helper: str
    klass: int = 0
    inactive: bool = False

    @property
    def flags(self) -> str:
        """In the words of conntrack -L expect."""
        return ",".join(name for name, given in (("PERMANENT", self.permanent), ("INACTIVE", self.inactive)) if given)


@dataclass(frozen=True, slots=True)
class Told:
    """One event: when (ns since the epoch), what, of what, and whose program caused it (0: a packet or the clock)."""

    at: int
    kind: str
    entry: Entry | Expected
    portid: int = 0


@dataclass(slots=True)
class Stats:
    """The counters of ``conntrack -S``, all CPUs in one (struct ip_conntrack_stat)."""

    found: int = 0
    invalid: int = 0
    insert: int = 0
    insert_failed: int = 0
    drop: int = 0
    early_drop: int = 0
    error: int = 0
    search_restart: int = 0
    clash_resolve: int = 0
    chaintoolong: int = 0
    expect_new: int = 0
    expect_create: int = 0
    expect_delete: int = 0


@dataclass(slots=True)
class Record:
    """Events, when somebody wants them; counters."""

    wanted: bool = False
    told: list[Told] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)

    def deliver(self, conn: Conn, now: int) -> None:
        """What has been cached for a connection (nf_ct_deliver_cached_events)."""
        if not conn.confirmed or conn.gone:
            return  # they wait
        events, conn.events = conn.events, 0
        if events:
            self.report(conn, events, now)

    def report(self, conn: Conn, events: int, now: int, portid: int = 0) -> None:
        """One message of these events, if one of them is to be told of (nf_conntrack_eventmask_report)."""
        if self.wanted and events & conn.told_of[0]:
            kind = DESTROY if events & IPCT_DESTROY else NEW if events & (IPCT_NEW | IPCT_RELATED) else UPDATE
            self.told.append(Told(now, kind, of_event(conn, events, now), portid))

    def expectation(self, one: Expectation, kind: str, now: int) -> None:
        """An expectation came or went."""
        if kind == NEW:
            self.stats.expect_create += 1
        else:
            self.stats.expect_delete += 1
        if self.wanted and one.master.told_of[1] & (IPEXP_NEW if kind == NEW else IPEXP_DESTROY):
            self.told.append(Told(now, kind, expected(one, now)))


def identity(conn: Conn) -> int:
    """A number like the kernel's id, which comes from a secret: equal for one entry, and hardly ever for two."""
    o = conn.original
    words = [n >> shift & 0xFFFFFFFF for n in (o.src, o.dst) for shift in (96, 64, 32, 0)]
    return jhash2([*words, o.sport << 16 | o.dport, o.proto], conn.serial)


def seconds_left(conn: Conn, now: int) -> int:
    left = conn.timeout_at - now if conn.confirmed else int(conn.timeout * SECOND)
    return max(0, left) // SECOND


def of_listing(conn: Conn, now: int, holders: int = 0) -> Entry:
    """As a dump tells it (ctnetlink_fill_info).

    The use count is 1 for the table, one for each connection that this one's helper announced, and one for whoever
    has looked it up to send it: a get does, a dump does not.
    """
    return _entry(conn, seconds_left(conn, now), protoinfo=True, counters=True, mark=conn.mark, helper=conn.helper,
                  labels=conn.labels, use=1 + conn.children + holders)  # fmt: skip


def of_event(conn: Conn, events: int, now: int) -> Entry:
    """As an event tells it: what has changed, and little else."""
    mark = conn.mark if conn.mark or events & IPCT_MARK else None
    left = seconds_left(conn, now)
    if events & IPCT_DESTROY:
        return _entry(conn, left or None, protoinfo=True, counters=True, mark=mark, stop=now)
    return _entry(conn, left, protoinfo=bool(events & IPCT_PROTOINFO), mark=mark, helper=conn.helper,
                  labels=conn.labels if events & IPCT_LABEL else 0)  # fmt: skip


def _entry(
    conn: Conn, timeout: int | None, *, protoinfo: bool, counters: bool = False, mark: int | None = None,
    helper: str = "", labels: int = 0, use: int | None = None, stop: int = 0,
) -> Entry:  # fmt: skip
    tcp = conn.tcp.state if conn.tcp and protoinfo else ""
    association = conn.sctp if protoinfo and conn.original.proto == t.SCTP else None
    state, tags = (association.state, tuple(association.tags)) if association else ("", ())
    numbers: tuple[int, ...] = ()
    if counters and conn.accounted:
        numbers = (conn.packets[0], conn.bytes[0], conn.packets[1], conn.bytes[1])
    return Entry(
        conn.original, conn.reply, conn.status, timeout, tcp, state, tags, numbers, mark, conn.zone,
        conn.zone_dir, helper, labels, use, identity(conn), conn.start, stop if conn.start else 0,
    )  # fmt: skip


def expected(one: Expectation, now: int) -> Expected:
    """An expectation as ctnetlink tells it (ctnetlink_exp_dump_expect)."""
    every = (1 << (32 if one.family == 4 else 128)) - 1
    wanted = Tuple(one.family, one.src or 0, one.dst, one.proto, one.sport or 0, one.dport)
    mask = Tuple(one.family, one.mask, every, one.proto, 0 if one.sport is None else 0xFFFF, 0xFFFF)
    left = max(0, one.until - now) // SECOND
    return Expected(wanted, mask, one.master.original, left, one.permanent, one.master.helper, one.kind, one.inactive)
