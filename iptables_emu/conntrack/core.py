"""Conntrack: which connection a packet belongs to, and in what state (kernel: nf_conntrack_core.c)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from iptables_emu.conntrack import icmp, nat, record, sctp, tcp, tcp_segment
from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.expect import Expectation, Expectations
from iptables_emu.conntrack.gre import GreKeys
from iptables_emu.conntrack.helpers import destroyed, helper_of
from iptables_emu.conntrack.nat_range import NatRange
from iptables_emu.conntrack.table import SECOND, Conn, CtTemplate, Table
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY, Tuple, read_tuple
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.exthdr import skip_headers
from iptables_emu.packet.packet import ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE, Packet, transport_checksum_good

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.host.sysctl import Sysctls

ICMP_NEW = frozenset({8, 13, 15, 17})
ICMPV6_NEW = frozenset({128, 139})
STATE_NAMES = {t.ESTABLISHED: "ESTABLISHED", t.ESTABLISHED_REPLY: "ESTABLISHED", t.RELATED: "RELATED",
               t.RELATED_REPLY: "RELATED", t.NEW: "NEW"}  # fmt: skip


class Conntrack:
    """The connections of a host. ``now`` is the virtual time (ns), set by whoever sends packets."""

    def __init__(self, sysctls: Sysctls, rng: random.Random) -> None:
        self.sysctls, self.rng = sysctls, rng
        self.table = Table()
        self.record = record.Record()
        self.expectations = Expectations(self._expectation)
        self.gre_keys = GreKeys()
        self.now = 0
        self.reason = ""  # why the last packet was INVALID
        self.invalid: list[str] = []

    # -- services for the protocols ------------------------------------------------------------

    def sysctl(self, name: str) -> int:
        return self.sysctls.get(f"net.netfilter.nf_conntrack_{name}")

    def refresh(self, conn: Conn, seconds: float) -> None:
        """A new timeout: from now when confirmed, else kept until then; a fixed one stays."""
        if conn.status & t.FIXED_TIMEOUT:
            return
        conn.timeout = seconds
        if conn.confirmed:
            conn.timeout_at = self.now + int(seconds * SECOND)

    def seconds_left(self, conn: Conn) -> float:
        return (conn.timeout_at - self.now) / SECOND if conn.confirmed else conn.timeout

    def kill(self, conn: Conn, portid: int = 0) -> None:
        """The end of a connection (nf_ct_delete); ``portid`` is the program's that asks for it."""
        if conn in self.table.conns:
            self.record.report(conn, record.IPCT_DESTROY, self.now, portid)
        self.table.remove(conn)
        self._forget(conn)

    def _forget(self, conn: Conn) -> None:
        """What a helper has announced goes with its connection."""
        if conn.confirmed and conn.helper:
            destroyed(self, conn)
        self.expectations.forget(conn)

    def release(self, conn: Conn) -> None:
        """The packet that would have made the connection is gone: nothing of it stays."""
        if not conn.confirmed:
            self.kill(conn)

    def flush(self, portid: int = 0) -> None:
        for conn in self.table:
            self.kill(conn, portid)

    def expire(self) -> None:
        for conn in self.table.expired(self.now):
            self.kill(conn)
        self.expectations.expire(self.now)

    def _expectation(self, one: Expectation, kind: str) -> None:
        self.record.expectation(one, kind, self.now)

    def seq_offset(self, conn: Conn, direction: int, seq: int) -> int:
        """How much a helper has shifted the sequence numbers of a direction at ``seq``."""
        at, earlier, later = conn.seq_offsets[direction]
        return later if tcp_segment.after(seq, at) else earlier

    # -- the hook at PREROUTING and OUTPUT -------------------------------------------------------

    def track(self, pkt: Packet, hook: str) -> Verdict:
        """nf_conntrack_in: sets ``pkt.ct`` and ``pkt.ctinfo``; an INVALID packet has no ct."""
        self.reason = ""
        template = pkt.ct.template if pkt.ct is not None else None
        if pkt.untracked or (pkt.ct is not None and template is None):
            return Verdict.ACCEPT  # seen before (lo), or not to be tracked
        template = template.of_mark(pkt.mark) if template else None
        pkt.ct = None
        if pkt.frag_offset or (pkt.family == 6 and skip_headers(pkt.data) is None):
            return self.invalid_packet(pkt, "no transport header")
        if pkt.proto in (ICMP, ICMPV6):
            handled = icmp.handle(self, pkt, hook, template)
            if handled is not None:
                return handled
        for _ in range(2):
            verdict = self._normal(pkt, hook, template)
            if verdict is not None:
                return verdict
        return Verdict.ACCEPT

    def invalid_packet(self, pkt: Packet, reason: str, *, error: bool = False) -> Verdict:
        """No connection's; ``error``: it is an ICMP message that makes no sense, which has a counter of its own."""
        pkt.ct, pkt.ctinfo = None, 0
        self.reason = reason
        self.invalid.append(reason)
        self.record.stats.error += error
        self.record.stats.invalid += not error
        return Verdict.ACCEPT

    def summed(self, pkt: Packet, hook: str) -> bool:
        """Whether the transport checksum is good, where it is looked at; REJECT then need not look again."""
        if not self._sums(hook):
            return True
        good = transport_checksum_good(pkt, beyond=True)
        unsummed = pkt.proto == UDP and pkt.data[pkt.l4 + 6 : pkt.l4 + 8] == b"\0\0"
        pkt.sum_valid = good and pkt.proto in (TCP, UDP, UDPLITE, ICMP, ICMPV6) and not unsummed
        return good

    def _sums(self, hook: str) -> bool:
        return hook == "PREROUTING" and bool(self.sysctl("checksum"))

    def _error(self, pkt: Packet, hook: str) -> str | None:
        """Why a TCP, UDP or UDP-Lite packet is INVALID on sight."""
        segment = bytes(pkt.data[pkt.l4 : pkt.length])
        checked = self.summed(pkt, hook)
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
            if pkt.proto == UDP and pkt.family == 6 and self._sums(hook):
                pkt.sum_total = internet_checksum(bytes(pkt.data))
            return None if checked else "bad checksum"
        if pkt.proto == SCTP:
            return sctp.error(segment, self._sums(hook))
        return None

    def _normal(self, pkt: Packet, hook: str, template: CtTemplate | None) -> Verdict | None:
        """Find or make the connection; None: look up again."""
        problem = self._error(pkt, hook)
        key = self.read(pkt.family, pkt.src, pkt.dst, pkt.proto, bytes(pkt.data[pkt.l4 : pkt.length]))
        if key is None or problem == "short packet":
            return self.invalid_packet(pkt, problem or "short packet")
        found = self.find(key, template)
        if found is None:
            conn = self._create(pkt, key, template)
            if conn is None:
                return self.invalid_packet(pkt, "cannot be a connection's packet")
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
            self.record.stats.invalid += 1
            self.record.stats.drop += 1
            return Verdict.DROP
        if outcome == "invalid":
            return self.invalid_packet(pkt, reason)
        if outcome != "ignored":
            self._account(conn, direction, pkt)
        if pkt.ctinfo == t.ESTABLISHED_REPLY and not conn.status & t.SEEN_REPLY:
            conn.status |= t.SEEN_REPLY
            conn.events |= record.IPCT_REPLY
        return Verdict.ACCEPT

    def read(self, family: int, src: int, dst: int, proto: int, segment: bytes) -> Tuple | None:
        """The tuple of a packet; the other call id of GRE is what PPTP's helper knows."""
        key = read_tuple(family, src, dst, proto, segment)
        return self.gre_keys.complete(key) if key and proto == t.GRE and t.names_call(segment) else key

    def find(self, key: Tuple, template: CtTemplate | None) -> tuple[Conn, int] | None:
        """The connection of a tuple; each direction is looked up in the zone that counts for it."""
        zone, side = (template.zone, template.zone_dir) if template else (0, "")
        for conn, direction in self.table.entries(key):
            wanted = zone if not side or (side == "orig") is (direction == ORIGINAL) else 0
            if conn.zone_of(direction) == wanted:
                return conn, direction
        return None

    def _create(self, pkt: Packet, key: Tuple, template: CtTemplate | None) -> Conn | None:
        """A new entry, not yet in the table (init_conntrack)."""
        if not key.invertible():
            return None
        zone, side = (template.zone, template.zone_dir) if template else (0, "")
        conn = Conn([key, key.inverse()], zone=zone, zone_dir=side)
        if template and (template.ct_events or template.exp_events):
            conn.told_of = template.ct_events, template.exp_events
        if len(self.table) >= self.sysctl("max"):
            return None
        expected = self.expectations.take(key, conn.zone)
        if expected is not None:
            self.record.stats.expect_new += 1
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
            if tracker.killed:
                self._account(conn, direction, pkt)
                self.kill(conn)
                return "ignored", ""
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
                assure(conn)
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
            assure(conn)
        else:
            self.refresh(conn, self.sysctl("udp_timeout"))

    def _account(self, conn: Conn, direction: int, pkt: Packet) -> None:
        if conn.accounted:
            conn.packets[direction] += 1
            conn.bytes[direction] += len(pkt.data)

    # -- the hooks at the ends ---------------------------------------------------------------------

    def help(self, pkt: Packet, ctx: Context) -> Verdict:
        """The helper of the connection looks at the payload (ipv4_helper)."""
        conn = pkt.ct
        if conn is None or pkt.ctinfo == t.RELATED_REPLY or not conn.helper:
            return Verdict.ACCEPT
        look = helper_of(conn.helper)
        return look(self, conn, pkt, ctx) if look is not None else Verdict.ACCEPT

    def confirm(self, pkt: Packet) -> Verdict:
        """The entry of a first packet enters the table, unless its tuples have been taken meanwhile."""
        conn = pkt.ct
        if conn is None:
            return Verdict.ACCEPT
        verdict = Verdict.ACCEPT if conn.confirmed else self._confirm(conn, pkt)
        if verdict is Verdict.ACCEPT:
            self.record.deliver(conn, self.now)
        return verdict

    def _confirm(self, conn: Conn, pkt: Packet) -> Verdict:
        if pkt.ctinfo >= t.IS_REPLY:
            return Verdict.ACCEPT
        if conn.gone:
            return Verdict.DROP
        other = self.taken(conn)
        if other is not None:
            return self._clash(conn, other, pkt)
        self.insert(conn)
        conn.events |= record.IPCT_RELATED if conn.master else record.IPCT_NEW
        if conn.helper:
            conn.events |= record.IPCT_HELPER
        return Verdict.ACCEPT

    def taken(self, conn: Conn) -> Conn | None:
        """Another connection that has one of its tuples."""
        for direction, key in enumerate(conn.tuples):
            for other, side in self.table.entries(key):
                if other.zone_of(side) == conn.zone_of(direction) == conn.zone_of(side):
                    return other
        return None

    def insert(self, conn: Conn) -> None:
        """A connection enters the table; its timeout begins."""
        conn.status |= t.CONFIRMED
        conn.timeout_at = self.now + int(conn.timeout * SECOND)
        conn.start = self.now if self.sysctl("timestamp") else 0
        self.table.insert(conn)

    def _clash(self, conn: Conn, other: Conn, pkt: Packet) -> Verdict:
        """Two entries want the same tuple (nf_ct_resolve_clash): the same flow joins the one that is there."""
        if pkt.proto == TCP or conn.tuples != other.tuples:
            self.record.stats.insert_failed += 1
            self.record.stats.drop += 1
            return Verdict.DROP
        self.record.stats.clash_resolve += 1
        pkt.ct = other
        return Verdict.ACCEPT

    # -- for targets -------------------------------------------------------------------------------

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


def assure(conn: Conn) -> None:
    """A connection that need not make room for others."""
    if not conn.status & t.ASSURED:
        conn.status |= t.ASSURED
        conn.events |= record.IPCT_ASSURED
