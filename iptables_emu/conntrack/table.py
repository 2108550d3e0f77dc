"""The connection table: entries, look-up by either direction, timeouts on the virtual clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.helper_state import HelperState
from iptables_emu.conntrack.sctp_state import Association
from iptables_emu.conntrack.tcp_state import TcpState
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY, Tuple

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CtTemplate:
    """What ``-j CT`` asks for the connection to come; the zone is the packet's mark where ``by_mark`` says so."""

    zone: int = 0
    zone_dir: str = ""  # "" both, "orig", "reply"
    helper: str = ""
    by_mark: bool = False
    ct_events: int = 0  # IPCT_* and IPEXP_*: those that are told; all where neither names one
    exp_events: int = 0

    def of_mark(self, mark: int) -> CtTemplate:
        """The template for a packet with this mark."""
        return replace(self, zone=mark & 0xFFFF, by_mark=False) if self.by_mark else self


@dataclass(slots=True, eq=False)
class Conn:
    """One connection. ``timeout`` is in seconds until it is confirmed, then ``timeout_at`` counts (ns)."""

    tuples: list[Tuple]
    zone: int = 0
    zone_dir: str = ""
    status: int = 0
    mark: int = 0
    labels: int = 0
    secmark: str = ""  # a security context
    helper: str = ""
    master: Conn | None = None
    timeout: float = 0
    timeout_at: int = 0
    packets: list[int] = field(default_factory=lambda: [0, 0])
    bytes: list[int] = field(default_factory=lambda: [0, 0])
    tcp: TcpState | None = None
    stream_at: int = 0  # UDP: from when on it counts as a stream
    sctp: Association | None = None
    gre_seconds: tuple[int, int] = (0, 0)  # until and after the first reply
    masq_dev: str = ""
    seq_offsets: list[tuple[int, int, int]] = field(default_factory=lambda: [(0, 0, 0), (0, 0, 0)])
    ftp_lines: dict[int, list[int]] = field(default_factory=dict)
    helper_state: HelperState = field(default_factory=HelperState)
    accounted: bool = False
    gone: bool = False
    serial: int = 0  # of the table's entries, from 1
    children: int = 0  # connections that a helper of this one announced, and which hold on to it
    told_of: tuple[int, int] = (~0, ~0)  # the IPCT_* and IPEXP_* that are told
    events: int = 0  # cached until the packet leaves (kernel: nf_conntrack_ecache.c)
    synproxy: bool = False  # it has SYNPROXY's extension
    start: int = 0  # with nf_conntrack_timestamp: when it was confirmed, ns
    template: CtTemplate | None = None  # it stands for a connection to come, and is none itself

    @classmethod
    def of_template(cls, template: CtTemplate) -> Conn:
        """What a packet carries from ``-j CT`` to conntrack; matches take it for a connection."""
        nothing = Tuple(0, 0, 0, 0)
        status = t.TEMPLATE | t.CONFIRMED
        return cls([nothing, nothing], template.zone, template.zone_dir, status, template=template)

    @property
    def original(self) -> Tuple:
        return self.tuples[ORIGINAL]

    @property
    def reply(self) -> Tuple:
        return self.tuples[REPLY]

    @property
    def confirmed(self) -> bool:
        return bool(self.status & t.CONFIRMED)

    def zone_of(self, direction: int) -> int:
        """The zone that counts in one direction."""
        if (self.zone_dir == "orig" and direction == REPLY) or (self.zone_dir == "reply" and direction == ORIGINAL):
            return 0
        return self.zone

    def text(self, now: int) -> str:
        """The entry as ``conntrack -L -o extended`` prints it, without its use count."""
        proto = self.original.proto
        family = "ipv4     2" if self.original.family == 4 else "ipv6     10"
        words = [f"{family} {t.PROTOCOL_NAMES.get(proto, 'unknown'):<8} {proto}"]
        left = self.timeout_at - now if self.confirmed else self.timeout * SECOND
        words.append(str(max(0, int(left) // SECOND)))
        if self.tcp is not None:
            words.append(self.tcp.state)
        elif self.sctp:
            words.append(self.sctp.state)
        words.append(self.original.text() + self._counters(ORIGINAL))
        if not self.status & t.SEEN_REPLY:
            words.append("[UNREPLIED]")
        words.append(self.reply.text() + self._counters(REPLY))
        if self.status & t.ASSURED:
            words.append("[ASSURED]")
        words.append(f"mark={self.mark}")
        if self.zone and not self.zone_dir:
            words.append(f"zone={self.zone}")
        if self.helper:
            words.append(f"helper={self.helper}")
        return " ".join(words)

    def _counters(self, direction: int) -> str:
        return f" packets={self.packets[direction]} bytes={self.bytes[direction]}" if self.accounted else ""


class Table:
    """Confirmed connections, in the order of their confirmation."""

    def __init__(self) -> None:
        self.by_tuple: dict[Tuple, list[tuple[Conn, int]]] = {}
        self.conns: dict[Conn, None] = {}
        self.by_source: list[Conn] = []  # newest first, as the hash chains are
        self.inserted = 0  # so far

    def __iter__(self) -> Iterator[Conn]:
        return iter(list(self.conns))

    def __len__(self) -> int:
        return len(self.conns)

    def find(self, key: Tuple, zone: int = 0) -> tuple[Conn, int] | None:
        """(connection, direction) of a tuple in a zone."""
        for conn, direction in self.by_tuple.get(key, ()):
            if conn.zone_of(direction) == zone:
                return conn, direction
        return None

    def entries(self, key: Tuple) -> list[tuple[Conn, int]]:
        return self.by_tuple.get(key, [])

    def insert(self, conn: Conn) -> None:
        self.conns[conn] = None
        self.inserted += 1
        conn.serial = self.inserted
        if conn.master is not None:
            conn.master.children += 1
        for direction, key in enumerate(conn.tuples):
            # in front: where both directions are the same tuple, the reply is found
            self.by_tuple.setdefault(key, []).insert(0, (conn, direction))

    def remove(self, conn: Conn) -> None:
        conn.gone = True
        conn.status |= t.DYING
        if conn in self.by_source:
            self.by_source.remove(conn)
        if conn not in self.conns:
            return
        del self.conns[conn]
        if conn.master is not None:
            conn.master.children -= 1
        for key in set(conn.tuples):
            left = [entry for entry in self.by_tuple.get(key, ()) if entry[0] is not conn]
            if left:
                self.by_tuple[key] = left
            else:
                self.by_tuple.pop(key, None)

    def expired(self, now: int) -> list[Conn]:
        """What has timed out."""
        return [c for c in self.conns if c.timeout_at <= now]
