"""Conntrack: which connection a packet belongs to, and in what state (kernel: nf_conntrack_core.c)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from iptables_emu.conntrack import nat, sctp, tcp, tcp_segment
from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.expect import Expectations
from iptables_emu.conntrack.gre import GreKeys
from iptables_emu.conntrack.helpers import DESTROYED, HELPERS
from iptables_emu.conntrack.nat_range import NatRange
from iptables_emu.conntrack.table import SECOND, Conn, CtTemplate, Table
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY, Tuple, read_tuple
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.exthdr import skip_headers
from iptables_emu.packet.packet import ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, Malformed, Packet, transport_checksum_good

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.host.sysctl import Sysctls

ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})
ICMP_NEW = frozenset({8, 13, 15, 17})
ICMPV6_NEW = frozenset({128, 139})
ICMPV6_UNTRACKED = frozenset({130, 131, 132, 133, 134, 135, 136, 143, 151, 152})
STATE_NAMES = {t.ESTABLISHED: "ESTABLISHED", t.ESTABLISHED_REPLY: "ESTABLISHED", t.RELATED: "RELATED",
               t.RELATED_REPLY: "RELATED", t.NEW: "NEW"}  # fmt: skip


class Conntrack:
    """The connections of a host. ``now`` is the virtual time (ns), set by whoever sends packets."""

    def __init__(self, sysctls: Sysctls, rng: random.Random) -> None:
        self.sysctls, self.rng = sysctls, rng
        self.table = Table()
        self.expectations = Expectations()
        self.gre_keys = GreKeys()
        self.now = 0
        self.reason = ""  # why the last packet was INVALID
        self.invalid: list[str] = []

    # -- services for the protocols ------------------------------------------------------------

    def sysctl(self, name: str) -> int:
        return self.sysctls.get(f"net.netfilter.nf_conntrack_{name}")

    def refresh(self, conn: Conn, seconds: float) -> None:
        """A new timeout: from now when confirmed, else kept until then."""
        conn.timeout = seconds
        if conn.confirmed:
            conn.timeout_at = self.now + int(seconds * SECOND)

    def seconds_left(self, conn: Conn) -> float:
        return (conn.timeout_at - self.now) / SECOND if conn.confirmed else conn.timeout

    def kill(self, conn: Conn) -> None:
        self.table.remove(conn)
        self._forget(conn)

    def _forget(self, conn: Conn) -> None:
        """What a helper has announced goes with its connection."""
        if conn.confirmed and conn.helper in DESTROYED:
            DESTROYED[conn.helper](self, conn)
        self.expectations.forget(conn)

    def release(self, conn: Conn) -> None:
        """The packet that would have made the connection is gone: nothing of it stays."""
        if not conn.confirmed:
            self.kill(conn)

    def flush(self) -> None:
        for conn in self.table:
            self.kill(conn)

    def expire(self) -> None:
        for conn in self.table.expire(self.now):
            self._forget(conn)
        self.expectations.expire(self.now)

    def seq_offset(self, conn: Conn, direction: int, seq: int) -> int:
        """How much a helper has shifted the sequence numbers of a direction at ``seq``."""
        at, earlier, later = conn.seq_offsets[direction]
        return later if tcp_segment.after(seq, at) else earlier

    # -- the hook at PREROUTING and OUTPUT -------------------------------------------------------

    def track(self, pkt: Packet, hook: str) -> Verdict:
        """nf_conntrack_in: sets ``pkt.ct`` and ``pkt.ctinfo``; an INVALID packet has no ct."""
        self.reason = ""
        if pkt.untracked or pkt.ct is not None:
            return Verdict.ACCEPT  # seen before (lo), or not to be tracked
        if pkt.frag_offset or (pkt.family == 6 and skip_headers(pkt.data) is None):
            return self._invalid(pkt, "no transport header")
        if pkt.proto in (ICMP, ICMPV6):
            handled = self._icmp(pkt, hook)
            if handled is not None:
                return handled
        for _ in range(2):
            verdict = self._normal(pkt, hook)
            if verdict is not None:
                return verdict
        return Verdict.ACCEPT

    def _invalid(self, pkt: Packet, reason: str) -> Verdict:
        pkt.ct, pkt.ctinfo = None, 0
        self.reason = reason
        self.invalid.append(reason)
        return Verdict.ACCEPT

    def _summed(self, pkt: Packet, hook: str) -> bool:
        """Whether the transport checksum is good, where it is looked at; REJECT then need not look again."""
        if hook != "PREROUTING" or not self.sysctl("checksum"):
            return True
        good = transport_checksum_good(pkt)
        unsummed = pkt.proto == UDP and pkt.data[pkt.l4 + 6 : pkt.l4 + 8] == b"\0\0"
        pkt.sum_valid = good and pkt.proto in (TCP, UDP, UDPLITE, ICMP, ICMPV6) and not unsummed
        return good

    def _error(self, pkt: Packet, hook: str) -> str | None:
        """Why a TCP, UDP or UDP-Lite packet is INVALID on sight."""
        segment = bytes(pkt.data[pkt.l4 : pkt.length])
        checked = self._summed(pkt, hook)
        if pkt.proto == TCP:
            return tcp_segment.error(segment, checked)
        if pkt.proto in (UDP, UDPLITE):
            if len(segment) < 8:
                return "short packet"
            size = int.from_bytes(segment[4:6], "big")
            if pkt.proto == UDP and not 8 <= size <= len(segment):
                return "truncated/malformed packet"
            if segment[6:8] == b"\0\0" and pkt.proto == UDP:
                return None
            return None if checked else "bad checksum"
        if pkt.proto == SCTP:
            return sctp.error(segment, hook == "PREROUTING" and bool(self.sysctl("checksum")))
        return None

    def _normal(self, pkt: Packet, hook: str) -> Verdict | None:
        """Find or make the connection; None: look up again."""
        problem = self._error(pkt, hook)
        key = self._read(pkt.family, pkt.src, pkt.dst, pkt.proto, bytes(pkt.data[pkt.l4 : pkt.length]))
        if key is None or problem == "short packet":
            return self._invalid(pkt, problem or "short packet")
        template = pkt.ct_template
        zone = template.zone if template else 0
        found = self._find(key, template)
        if found is None:
            conn = self._create(pkt, key, template, zone)
            if conn is None:
                return self._invalid(pkt, "cannot be a connection's packet")
            direction = ORIGINAL
        else:
            conn, direction = found
        if direction == REPLY:
            pkt.ctinfo = t.ESTABLISHED_REPLY
        elif conn.status & t.SEEN_REPLY:
            pkt.ctinfo = t.ESTABLISHED
        elif conn.status & t.EXPECTED:
            pkt.ctinfo = t.RELATED
        else:
            pkt.ctinfo = t.NEW
        pkt.ct = conn
        outcome, reason = ("invalid", problem) if problem else self._protocol(conn, direction, pkt)
        if outcome == "repeat":
            pkt.ct = None
            return None
        if outcome == "drop":
            return Verdict.DROP
        if outcome == "invalid":
            return self._invalid(pkt, reason)
        if outcome != "ignored":
            self._account(conn, direction, pkt)
        if pkt.ctinfo == t.ESTABLISHED_REPLY:
            conn.status |= t.SEEN_REPLY
        return Verdict.ACCEPT

    def _read(self, family: int, src: int, dst: int, proto: int, segment: bytes) -> Tuple | None:
        key = read_tuple(family, src, dst, proto, segment)
        return self.gre_keys.complete(key) if key and proto == t.GRE and t.names_call(segment) else key

    def _find(self, key: Tuple, template: CtTemplate | None) -> tuple[Conn, int] | None:
        """The connection of a tuple; each direction is looked up in the zone that counts for it."""
        zone, side = (template.zone, template.zone_dir) if template else (0, "")
        for conn, direction in self.table.entries(key):
            wanted = zone if not side or (side == "orig") is (direction == ORIGINAL) else 0
            if conn.zone_of(direction) == wanted:
                return conn, direction
        return None

    def _create(self, pkt: Packet, key: Tuple, template: CtTemplate | None, zone: int) -> Conn | None:
        """A new entry, not yet in the table (init_conntrack)."""
        if not key.invertible():
            return None
        conn = Conn([key, key.inverse()], zone=zone, zone_dir=template.zone_dir if template else "")
        if len(self.table) >= self.sysctl("max"):
            return None
        expected = self.expectations.take(key, conn.zone)
        if expected is not None:
            conn.status |= t.EXPECTED
            conn.master = expected.master
            conn.mark = expected.master.mark
            conn.helper = expected.helper
            expected.arrange(self, conn)
        elif template and template.helper:
            conn.helper = template.helper
            conn.status |= t.HELPER
        conn.accounted = bool(self.sysctl("acct"))
        return conn

    def _protocol(self, conn: Conn, direction: int, pkt: Packet) -> tuple[str, str]:
        """("accept"|"ignored"|"invalid"|"repeat"|"drop", reason) of the protocol's own tracking."""
        proto = pkt.proto
        if proto == TCP:
            seg = tcp_segment.Segment(bytes(pkt.data[pkt.l4 : pkt.length]))
            if conn.tcp is None and not tcp.new(conn, seg, bool(self.sysctl("tcp_loose"))):
                return "invalid", "invalid new"
            tracker = tcp.Tracker(self, conn, direction, seg)
            outcome = tracker.packet()
            return "ignored" if outcome == tcp.ACCEPT and not tracker.counted else outcome, tracker.reason
        if proto in (UDP, UDPLITE):
            self._udp(conn)
        elif proto in (ICMP, ICMPV6):
            kind = pkt.data[pkt.l4]
            if not conn.confirmed and kind not in (ICMP_NEW if proto == ICMP else ICMPV6_NEW):
                return "invalid", "invalid new"
            self.refresh(conn, self.sysctl("icmp_timeout" if proto == ICMP else "icmpv6_timeout"))
        elif proto == t.GRE:
            if not conn.confirmed:
                conn.gre_seconds = self.sysctl("gre_timeout"), self.sysctl("gre_timeout_stream")
            stream = bool(conn.status & t.SEEN_REPLY)
            self.refresh(conn, conn.gre_seconds[stream])
            if stream:
                conn.status |= t.ASSURED
        elif proto == SCTP:
            return sctp.packet(self, conn, direction, pkt)
        else:
            self.refresh(conn, self.sysctl("generic_timeout"))
        return "accept", ""

    def _udp(self, conn: Conn) -> None:
        """A flow becomes a stream, ASSURED, by traffic more than two seconds after it began."""
        if not conn.confirmed:
            conn.stream_at = self.now + 2 * SECOND
        if not conn.status & t.SEEN_REPLY:
            self.refresh(conn, self.sysctl("udp_timeout"))
            return
        if self.now > conn.stream_at:
            self.refresh(conn, self.sysctl("udp_timeout_stream"))
            conn.status |= t.ASSURED
        else:
            self.refresh(conn, self.sysctl("udp_timeout"))

    def _account(self, conn: Conn, direction: int, pkt: Packet) -> None:
        if conn.accounted:
            conn.packets[direction] += 1
            conn.bytes[direction] += len(pkt.data)

    # -- ICMP errors -----------------------------------------------------------------------------

    def _icmp(self, pkt: Packet, hook: str) -> Verdict | None:
        """ICMP's own cases; None: track it as any other packet (nf_conntrack_handle_icmp)."""
        segment = bytes(pkt.data[pkt.l4 : pkt.length])
        six = pkt.proto == ICMPV6
        if len(segment) < 8:
            return self._invalid(pkt, "short packet")
        if not self._summed(pkt, hook):
            return self._invalid(pkt, "bad hw icmp checksum" if not six else "ICMPv6 checksum failed")
        kind = segment[0]
        if six:
            if kind in ICMPV6_UNTRACKED:
                pkt.untracked = True
                return Verdict.ACCEPT
            if kind >= 128:
                return None
        elif kind > 18:
            return self._invalid(pkt, "invalid icmp type")
        elif kind not in ICMP_ERRORS:
            return None
        return self._related(pkt, segment)

    def _related(self, pkt: Packet, segment: bytes) -> Verdict:
        """An error belongs to the connection of the packet that it quotes (nf_conntrack_inet_error)."""
        inner = quoted(segment[8:], pkt.family)
        key = self._read(*inner) if inner else None
        if key is None or not key.invertible():
            return self._invalid(pkt, "invalid inner packet")
        found = self._find(key.inverse(), pkt.ct_template)
        if found is None:
            return self._invalid(pkt, "icmp error for no known connection")
        conn, direction = found
        if pkt.dst != conn.tuples[direction].dst:
            return self._invalid(pkt, "outer daddr is not the inner one's")
        pkt.ct = conn
        pkt.ctinfo = t.RELATED_REPLY if direction == REPLY else t.RELATED
        return Verdict.ACCEPT

    # -- the hooks at the ends ---------------------------------------------------------------------

    def help(self, pkt: Packet, ctx: Context) -> Verdict:
        """The helper of the connection looks at the payload (ipv4_helper)."""
        conn = pkt.ct
        if conn is None or pkt.ctinfo == t.RELATED_REPLY or not conn.helper:
            return Verdict.ACCEPT
        look = HELPERS.get(conn.helper)
        return look(self, conn, pkt, ctx) if look is not None else Verdict.ACCEPT

    def confirm(self, pkt: Packet) -> Verdict:
        """The entry of a first packet enters the table, unless its tuples have been taken meanwhile."""
        conn = pkt.ct
        if conn is None or conn.confirmed:
            return Verdict.ACCEPT
        if pkt.ctinfo >= t.IS_REPLY or conn.gone:
            return Verdict.ACCEPT if not conn.gone else Verdict.DROP
        for direction, key in enumerate(conn.tuples):
            for other, side in self.table.entries(key):
                if other.zone_of(side) == conn.zone_of(direction) == conn.zone_of(side):
                    return self._clash(conn, other, pkt)
        conn.status |= t.CONFIRMED
        conn.timeout_at = self.now + int(conn.timeout * SECOND)
        self.table.insert(conn)
        return Verdict.ACCEPT

    def _clash(self, conn: Conn, other: Conn, pkt: Packet) -> Verdict:
        """Two entries want the same tuple (nf_ct_resolve_clash): the same flow joins the one that is there."""
        if pkt.proto == TCP or conn.tuples != other.tuples:
            return Verdict.DROP
        pkt.ct = other
        return Verdict.ACCEPT

    # -- for targets -------------------------------------------------------------------------------

    def set_template(self, pkt: Packet, *, zone: int = 0, zone_dir: str = "", helper: str = "") -> None:
        """``-j CT``: how the connection to come is to be tracked."""
        pkt.ct_template = CtTemplate(zone, zone_dir, helper)

    def setup_nat(self, pkt: Packet, wanted: NatRange, manip: str, ctx: Context) -> Verdict:
        """A NAT target's request (nf_nat_setup_info)."""
        if pkt.ct is None:
            return Verdict.ACCEPT
        nat.setup(self, pkt.ct, wanted, manip)
        return Verdict.ACCEPT

    def state_name(self, pkt: Packet) -> str:
        """The state as ``--ctstate`` names it."""
        if pkt.untracked:
            return "UNTRACKED"
        return "INVALID" if pkt.ct is None else STATE_NAMES[pkt.ctinfo]


def quoted(data: bytes, family: int) -> tuple[int, int, int, int, bytes] | None:
    """(family, src, dst, protocol, transport bytes) of the packet quoted in an ICMP error, None when cut off."""
    try:
        inner = Packet(data)
    except Malformed:
        return None
    if inner.family != family or inner.frag_offset or inner.truncated:
        return None
    return family, inner.src, inner.dst, inner.proto, bytes(inner.data[inner.l4 :])
