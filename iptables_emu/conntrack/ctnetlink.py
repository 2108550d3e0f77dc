"""Entries as programs ask for them: create, change, get, list, delete (kernel: nf_conntrack_netlink.c)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iptables_emu.conntrack import nat, record
from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.nat_range import NatRange
from iptables_emu.conntrack.record import Entry, Expected
from iptables_emu.conntrack.sctp_state import Association
from iptables_emu.conntrack.table import Conn, CtTemplate
from iptables_emu.conntrack.tcp_state import TcpState
from iptables_emu.conntrack.tuples import Tuple

HZ = 250
MOST_SECONDS = (1 << 31) / HZ - 1 / HZ  # jiffies are an int
# what a program cannot set or take away (IPS_UNCHANGEABLE_MASK)
UNCHANGEABLE = (t.NAT_DONE_MASK | t.NAT_MASK | t.EXPECTED | t.CONFIRMED | t.DYING | t.SEQ_ADJUST | t.OFFLOAD
                | t.HW_OFFLOAD)  # fmt: skip


class CtError(Exception):
    """A request fails; the text is the errno's name."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a program says of an entry; None and "" where it says nothing. ``timeout`` in seconds.

    ``flags`` are those that both sides of a TCP connection get; ``snat`` and ``dnat`` are (address, port).
    """

    original: Tuple | None
    reply: Tuple | None = None
    zone: int = 0
    original_zone: int | None = None
    reply_zone: int | None = None
    timeout: int | None = None
    status: int | None = None
    mark: int | None = None
    labels: int | None = None
    tcp: str = ""
    flags: int = 0
    sctp: str = ""
    tags: tuple[int | None, int | None] = (None, None)
    snat: tuple[int | None, int | None] | None = None
    dnat: tuple[int | None, int | None] | None = None

    def where(self) -> CtTemplate:
        """The zone. Raises CtError: only one may be said."""
        zone, side = self.zone, ""
        for name, value in (("orig", self.original_zone), ("reply", self.reply_zone)):
            if value is not None:
                if zone:
                    raise CtError("EINVAL")
                zone, side = value, name
        return CtTemplate(zone, side)


def listing(
    core: Conntrack, family: int = 0, mark: tuple[int, int] | None = None, status: tuple[int, int] | None = None
) -> Iterator[tuple[Conn, Entry]]:
    """The entries of a family (0: all) whose mark and status under a mask are so (ctnetlink_filter_match)."""
    if status is not None and not status[1]:
        raise CtError("EINVAL")
    for conn in core.table:
        if family and conn.original.family != family:
            continue
        if any(f is not None and value & f[1] != f[0] for value, f in ((conn.mark, mark), (conn.status, status))):
            continue
        yield conn, record.of_listing(conn, core.now)


def find(core: Conntrack, asked: Request) -> Conn:
    """The entry that is meant. Raises CtError."""
    key = asked.original or asked.reply
    if key is None or not key.invertible():
        raise CtError("EINVAL")
    found = core.find(key, asked.where())
    if found is None:
        raise CtError("ENOENT")
    return found[0]


def create(core: Conntrack, asked: Request, portid: int) -> None:
    """A new entry (ctnetlink_create_conntrack). Raises CtError."""
    if asked.reply is not None and not asked.reply.invertible():
        raise CtError("EINVAL")
    try:
        find(core, asked)
    except CtError as error:
        if str(error) != "ENOENT":
            raise
    else:
        raise CtError("EEXIST")
    if asked.original is None or asked.reply is None or asked.timeout is None:
        raise CtError("EINVAL")
    if asked.original.proto != asked.reply.proto:
        raise CtError("EINVAL")
    where = asked.where()
    conn = Conn([asked.original, asked.reply], zone=where.zone, zone_dir=where.zone_dir)
    conn.accounted, conn.synproxy = bool(core.sysctl("acct")), True
    _translate(core, conn, asked)
    conn.status |= t.CONFIRMED
    conn.timeout = min(asked.timeout, MOST_SECONDS)
    try:
        _change_status(conn, asked)
        _change_protocol(conn, asked)
        conn.mark, conn.labels = asked.mark or 0, asked.labels or 0
        if core.taken(conn) is not None:
            core.record.stats.insert_failed += 1
            raise CtError("EEXIST")
    except CtError:
        core.table.remove(conn)
        raise
    core.insert(conn)
    core.record.stats.insert += 1
    core.record.report(conn, record.IPCT_NEW | record.BY_PROGRAM, core.now, portid)


def _translate(core: Conntrack, conn: Conn, asked: Request) -> None:
    """The destination first; what is not said of the other end is settled, too (ctnetlink_setup_nat)."""
    if asked.snat is None and asked.dnat is None:
        return
    for manip, wanted in (("dst", asked.dnat), ("src", asked.snat)):
        if wanted is None:
            nat.null_binding(core, conn, manip)
        else:
            address, port = wanted
            nat.setup(core, conn, NatRange(address, address, port, port), manip)


def change(core: Conntrack, asked: Request, portid: int) -> None:
    """Change an entry that is there (ctnetlink_change_conntrack). Raises CtError."""
    conn = find(core, asked)
    if asked.snat is not None or asked.dnat is not None:
        raise CtError("EOPNOTSUPP")
    if asked.timeout is not None:
        if conn.status & t.FIXED_TIMEOUT:
            raise CtError("EPERM")
        core.refresh(conn, min(asked.timeout, MOST_SECONDS))
    _change_status(conn, asked)
    _change_protocol(conn, asked)
    conn.mark = conn.mark if asked.mark is None else asked.mark
    conn.labels = conn.labels if asked.labels is None else asked.labels
    core.record.report(conn, record.BY_PROGRAM, core.now, portid)


def _change_status(conn: Conn, asked: Request) -> None:
    if asked.status is None:
        return
    status = asked.status | t.CONFIRMED
    differs = conn.status ^ status
    lost = differs & ~status
    if differs & (t.EXPECTED | t.CONFIRMED | t.DYING) or lost & (t.SEEN_REPLY | t.ASSURED):
        raise CtError("EBUSY")
    conn.status |= status & ~UNCHANGEABLE


def _change_protocol(conn: Conn, asked: Request) -> None:
    """What the protocol keeps for itself (nlattr_to_tcp, nlattr_to_sctp)."""
    if conn.original.proto == t.TCP and (asked.tcp or asked.flags):
        conn.tcp = conn.tcp or TcpState()
        conn.tcp.state = asked.tcp or conn.tcp.state
        for side in conn.tcp.seen:
            side.flags |= asked.flags
    if conn.original.proto == t.SCTP and (asked.sctp or asked.tags != (None, None)):
        first, second = asked.tags
        if not asked.sctp or first is None or second is None:
            raise CtError("EINVAL")
        conn.sctp = conn.sctp or Association()
        conn.sctp.state, conn.sctp.tags = asked.sctp, [first, second]


def zero(conn: Conn) -> None:
    """Counters begin anew."""
    conn.packets[:] = conn.bytes[:] = [0, 0]


# -- expectations --------------------------------------------------------------------------------


def expectations(core: Conntrack, family: int = 0) -> list[Expected]:
    """Those of a family (0: all)."""
    waiting = core.expectations.waiting
    return [record.expected(e, core.now) for e in waiting if not family or e.family == family]


def find_expectation(core: Conntrack, key: Tuple) -> Expectation:
    """The one that a packet of this tuple would fulfil. Raises CtError."""
    for one in core.expectations.waiting:
        if one.fits(key) and one.zone == 0:
            return one
    raise CtError("ENOENT")


def create_expectation(core: Conntrack, wanted: Tuple, mask: Tuple, master: Tuple) -> None:
    """Announce a connection of a master that has a helper (ctnetlink_create_expect). Raises CtError."""
    try:
        find_expectation(core, wanted)
    except CtError:
        pass
    else:
        raise CtError("EEXIST")
    found = core.find(master, CtTemplate())
    if found is None:
        raise CtError("ENOENT")
    if not found[0].helper:
        raise CtError("EOPNOTSUPP")
    new = Expectation(found[0], wanted.family, wanted.src, wanted.dst, wanted.proto, wanted.dport,
                      sport=wanted.sport if mask.sport else None, src_mask=mask.src)  # fmt: skip
    if not core.expectations.add(new, core.now):
        raise CtError("EBUSY")


def flush_expectations(core: Conntrack) -> None:
    for one in list(core.expectations.waiting):
        core.expectations.remove(one)
