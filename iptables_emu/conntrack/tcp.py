"""TCP tracking with its windows (kernel: nf_conntrack_proto_tcp.c, as of 6.x)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack import record
from iptables_emu.conntrack import tcp_state as s
from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.tcp_segment import ACK, MASK, RST, SYN, Segment, after, before
from iptables_emu.conntrack.tcp_state import Side, TcpState
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn

MAX_ACK_WINDOW = 66000
ACCEPT, INVALID, REPEAT, DROP = "accept", "invalid", "repeat", "drop"
EARLY_DROP = frozenset({"FIN_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "CLOSE_WAIT"})


def new(conn: Conn, seg: Segment, loose: bool) -> bool:
    """Begin a connection with its first segment; False: it cannot be one (tcp_new)."""
    state = s.TRANSITIONS[ORIGINAL, seg.kind, "NONE"]
    if state in (s.INVALID, s.IGNORE):
        return False
    tcp = TcpState()
    first = tcp.seen[0]
    first.end = seg.end
    first.maxwin = seg.window or 1
    if state == "SYN_SENT":
        first.maxend = first.end
        seg.learn(first)
    elif not loose:
        return False
    else:
        # the middle of a connection: its history is not known, so its windows are taken as they come
        first.maxend = first.end + first.maxwin & MASK
        first.flags = tcp.seen[1].flags = s.SACK_PERM | s.BE_LIBERAL
    tcp.last_kind = "none"
    conn.tcp = tcp
    return True


class Tracker:
    """One segment of a connection."""

    def __init__(self, core: Conntrack, conn: Conn, direction: int, seg: Segment) -> None:
        assert conn.tcp is not None
        self.core, self.conn, self.dir, self.seg = core, conn, direction, seg
        self.tcp = conn.tcp
        self.reason = ""
        self.counted = False  # a segment that is only let through is not accounted
        self.killed = False  # the connection is over once the segment is accounted

    def packet(self) -> str:
        """accept, invalid, repeat (the entry was deleted: look up anew) or drop (nf_conntrack_tcp_packet)."""
        tcp, _seg, kind = self.tcp, self.seg, self.seg.kind
        old = tcp.state
        state = s.TRANSITIONS[self.dir, kind, old]
        in_window = False
        if state == "SYN_SENT" and old in ("TIME_WAIT", "CLOSE"):
            if (tcp.seen[0].flags | tcp.seen[1].flags) & s.CLOSE_INIT or (
                tcp.last_dir == self.dir and tcp.last_kind == "rst"
            ):
                self.core.kill(self.conn)
                return REPEAT
            state = s.IGNORE
        if state == s.IGNORE:
            if not self._in_sync():
                return self._ignore(old)
            old, state = "SYN_SENT", "SYN_RECV"
        elif state == s.INVALID:
            if self._keep_alive(old):
                return ACCEPT
            self.reason = "invalid state"
            return INVALID
        elif state == "TIME_WAIT" and self._challenge(old):
            return ACCEPT
        elif state == "SYN_SENT2":
            tcp.last_flags |= s.SIMULTANEOUS_OPEN
        elif state == "SYN_RECV":
            if self.dir == REPLY and kind == "ack" and tcp.last_flags & s.SIMULTANEOUS_OPEN:
                state = "ESTABLISHED"
        elif state == "CLOSE" and kind == "rst":
            verdict, state, in_window = self._reset(old)
            if verdict:
                return verdict
        if not in_window:
            verdict = self._window()
            if verdict == s.IGNORE:
                return ACCEPT
            if verdict == INVALID:
                self._shrink()
                return INVALID
        return self._advance(old, state)

    def _keep_alive(self, old: str) -> bool:
        """A client's keep-alive to SYNPROXY whose SYN was lost; entries that a program made pass for such, too."""
        tcp, seg = self.tcp, self.seg
        return (
            self.conn.synproxy and old == "SYN_SENT" and seg.kind == "ack" and self.dir == tcp.last_dir == ORIGINAL
            and seg.seq == tcp.seen[ORIGINAL].end - 1 & MASK
        )  # fmt: skip

    def _in_sync(self) -> bool:
        """A SYN/ACK that answers a SYN which was let through: take over what that SYN said."""
        tcp, seg = self.tcp, self.seg
        if not (seg.kind == "synack" and tcp.last_kind == "syn" and tcp.last_dir != self.dir
                and seg.ack == tcp.last_end):  # fmt: skip
            return False
        side = tcp.seen[tcp.last_dir]
        side.end = side.maxend = tcp.last_end
        side.maxwin = tcp.last_win or 1
        side.scale = tcp.last_scale
        tcp.last_flags &= ~s.CHALLENGE_ACK
        side.flags = tcp.last_flags
        tcp.seen[self.dir] = Side(flags=tcp.seen[self.dir].flags & s.BE_LIBERAL)
        return True

    def _ignore(self, old: str) -> str:
        """Let a segment through without believing it."""
        tcp, seg = self.tcp, self.seg
        tcp.last_kind, tcp.last_dir = seg.kind, self.dir
        tcp.last_seq, tcp.last_end, tcp.last_win = seg.seq, seg.end, seg.window
        if seg.kind == "syn" and self.dir == ORIGINAL:
            seen = Side()
            tcp.last_flags = tcp.last_scale = 0
            seg.learn(seen)
            if seen.flags & s.WINDOW_SCALE:
                tcp.last_flags |= s.WINDOW_SCALE
                tcp.last_scale = seen.scale
            tcp.last_flags |= seen.flags & s.SACK_PERM
            if old == "LAST_ACK":
                tcp.last_flags |= s.CHALLENGE_ACK
        if old == "SYN_SENT" and seg.kind == "ack" and self.dir == REPLY:
            tcp.last_ack = seg.ack
        return ACCEPT

    def _challenge(self, old: str) -> bool:
        """RFC 5961's answer to a spurious SYN is not the last ACK."""
        tcp = self.tcp
        if (old == "LAST_ACK" and self.seg.kind == "ack" and tcp.last_dir != self.dir and tcp.last_kind == "syn"
                and tcp.last_flags & s.CHALLENGE_ACK):  # fmt: skip
            tcp.last_flags &= ~s.CHALLENGE_ACK
            return True
        return False

    def _established(self) -> bool:
        return self.tcp.state == "ESTABLISHED" and bool(self.conn.status & t.ASSURED)

    def _reset(self, old: str) -> tuple[str, str, bool]:
        """(verdict or "", new state, whether the window is not to be checked) of a RST."""
        tcp, seg, conn = self.tcp, self.seg, self.conn
        if tcp.state in EARLY_DROP:
            # the entry may be replaced at any time, so what it knows is not held against the RST
            return "", "CLOSE", True
        other = tcp.seen[1 - self.dir]
        state = "CLOSE"
        if other.flags & s.MAXACK_SET and tcp.last_kind != "syn":
            if seg.seq == 0 and not self._established():
                return "", state, False
            if before(seg.seq, other.maxack) and not self.core.sysctl("tcp_ignore_invalid_rst"):
                self.reason = "invalid rst"
                return INVALID, state, False
            if not self._established() or seg.seq == other.maxack:
                return "", state, False
            if tcp.last_kind == "ack" and tcp.last_dir == self.dir and seg.seq == tcp.last_end:
                return "", state, False
            state = old  # a RST that does not hit exactly: a challenge ACK may follow
        if (
            (conn.status & t.SEEN_REPLY and tcp.last_kind == "syn")
            or (not conn.status & t.ASSURED and tcp.last_kind == "ack")
        ) and seg.ack == tcp.last_end and tcp.last_dir != self.dir:
            return "", state, True
        if old == "SYN_SENT" and tcp.last_kind == "ack" and tcp.last_dir == REPLY and seg.seq == tcp.last_ack:
            return "", state, True  # in answer to a challenge ACK that was let through
        return "", state, False

    # -- the window ------------------------------------------------------------------------------

    def _init_sender(self, sender: Side, receiver: Side, win: int) -> None:
        seg = self.seg
        sender.end = sender.maxend = seg.end
        sender.maxwin = win or 1
        seg.learn(sender)
        # both sides must offer window scaling to have it
        if self.dir == REPLY and not (sender.flags & s.WINDOW_SCALE and receiver.flags & s.WINDOW_SCALE):
            sender.scale = receiver.scale = 0

    def _window(self) -> str:
        """accept, INVALID or IGNORE of tcp_in_window."""
        tcp, seg = self.tcp, self.seg
        sender, receiver = tcp.seen[self.dir], tcp.seen[1 - self.dir]
        seq, ack, win, end = seg.seq, seg.ack, seg.window, seg.end
        sack = seg.sack() if receiver.flags & s.SACK_PERM else ack
        offset = self.core.seq_offset(self.conn, 1 - self.dir, ack - 1 & MASK)
        ack, sack = ack - offset & MASK, sack - offset & MASK
        if sender.maxwin == 0:
            if seg.flags & SYN:
                self._init_sender(sender, receiver, win)
                if not seg.flags & ACK:
                    return ACCEPT  # simultaneous open
            else:
                sender.end = end
                sender.maxwin = (win << sender.scale) or 1
                sender.maxend = end + sender.maxwin & MASK
                if receiver.maxwin == 0:
                    receiver.end = receiver.maxend = sack
                elif sack == receiver.end + 1 & MASK:
                    receiver.end = receiver.end + 1 & MASK  # SYN data or a keep-alive
        elif seg.flags & SYN and after(end, sender.end) and tcp.state in ("SYN_SENT", "SYN_RECV"):
            self._init_sender(sender, receiver, win)
            if self.dir == REPLY and not seg.flags & ACK:
                return ACCEPT
        if not seg.flags & ACK or (seg.flags & RST and ack == 0):
            ack = sack = receiver.end
        if seg.flags & RST and seq == 0 and tcp.state == "SYN_SENT":
            seq = end = sender.end
        verdict = self._bounds(sender, receiver, seq, end, sack)
        if verdict != ACCEPT:
            liberal = sender.flags & s.BE_LIBERAL or self.core.sysctl("tcp_be_liberal")
            return ACCEPT if liberal else verdict
        self._update(sender, receiver, seq, ack, sack, win, end)
        return ACCEPT

    def _bounds(self, sender: Side, receiver: Side, seq: int, end: int, sack: int) -> str:
        floor = receiver.end - max(sender.maxwin, MAX_ACK_WINDOW) - 1 & MASK
        low = sender.end - receiver.maxwin - 1 & MASK
        if not before(seq, sender.maxend + 1 & MASK):
            overshot = end - sender.maxend + 1 & MASK
            if (receiver.maxwin and after(end, low) and after(sack, floor) and overshot <= receiver.maxwin
                    and before(sack, receiver.end + 1 & MASK)):  # fmt: skip
                # a sender that sends more than allowed; its peer may acknowledge it all the same
                sender.end = end
                sender.flags |= s.DATA_UNACKNOWLEDGED
                self.reason = f"{overshot} bytes more than expected"
                return s.IGNORE
            self.reason = f"SEQ is over upper bound {sender.maxend + 1 & MASK} (over the window of the receiver)"
            return INVALID
        if not before(sack, receiver.end + 1 & MASK):
            self.reason = f"ACK is over upper bound {receiver.end + 1 & MASK} (ACKed data not seen yet)"
            return INVALID
        if receiver.maxwin and not after(end, low):
            self.reason = f"SEQ is under lower bound {low} (already ACKed data retransmitted)"
            return s.IGNORE
        if not after(sack, floor):
            self.reason = f"ignored ACK under lower bound {floor} (possible overly delayed)"
            return s.IGNORE
        return ACCEPT

    def _update(self, sender: Side, receiver: Side, seq: int, ack: int, sack: int, win: int, end: int) -> None:
        tcp, seg = self.tcp, self.seg
        if not seg.flags & SYN:
            win <<= sender.scale
        sender.maxwin = max(sender.maxwin, win + (sack - ack & MASK))
        if after(end, sender.end):
            sender.end = end
            sender.flags |= s.DATA_UNACKNOWLEDGED
        if seg.flags & ACK:
            if not sender.flags & s.MAXACK_SET:
                sender.maxack = ack
                sender.flags |= s.MAXACK_SET
            elif after(ack, sender.maxack):
                sender.maxack = ack
        if receiver.maxwin and after(end, sender.maxend):
            receiver.maxwin += end - sender.maxend & MASK
        if after(sack + win & MASK, receiver.maxend - 1 & MASK):
            receiver.maxend = sack + win & MASK
            if win == 0:
                receiver.maxend = receiver.maxend + 1 & MASK
        if ack == receiver.end:
            receiver.flags &= ~s.DATA_UNACKNOWLEDGED
        if seg.kind == "ack":
            now = (self.dir, seq, ack, end, win)
            if now == (tcp.last_dir, tcp.last_seq, tcp.last_ack, tcp.last_end, tcp.last_win):
                tcp.retrans += 1
            else:
                tcp.last_dir, tcp.last_seq, tcp.last_ack, tcp.last_end, tcp.last_win = now
                tcp.retrans = 0

    def _shrink(self) -> None:
        """An out-of-window FIN or RST: do not keep a half-known connection for days (nf_tcp_handle_invalid)."""
        tcp, kind = self.tcp, self.seg.kind
        if self.conn.status & t.ASSURED or kind not in ("rst", "fin"):
            return
        if tcp.last_dir != self.dir and tcp.last_kind in ("fin", "rst"):
            unack = self.core.sysctl("tcp_timeout_unacknowledged")
            if self.core.seconds_left(self.conn) >= 120 and self.core.seconds_left(self.conn) > unack:
                self.core.refresh(self.conn, unack)
        else:
            tcp.last_kind, tcp.last_dir = kind, self.dir

    def _advance(self, old: str, state: str) -> str:
        """From here on the segment is in the window."""
        tcp, conn, core = self.tcp, self.conn, self.core
        tcp.last_kind, tcp.last_dir = self.seg.kind, self.dir
        tcp.state = state
        if old != state:
            conn.events |= record.IPCT_PROTOINFO
        if old != state and state == "FIN_WAIT":
            tcp.seen[self.dir].flags |= s.CLOSE_INIT
        timeout = self._timeout(state)
        if not conn.status & t.SEEN_REPLY:
            if self.seg.flags & RST:
                self.counted = self.killed = True  # the only answer is a RST: there is no connection
                return ACCEPT
            if self.seg.kind == "syn" and old == "SYN_SENT":
                return ACCEPT  # a retransmitted SYN does not prolong it
            if state == "ESTABLISHED":
                timeout = min(timeout, core.sysctl("tcp_timeout_unacknowledged"))
        elif not conn.status & t.ASSURED and state == "ESTABLISHED" and old in ("SYN_RECV", "ESTABLISHED"):
            conn.status |= t.ASSURED
            conn.events |= record.IPCT_ASSURED
        self.counted = True
        core.refresh(conn, timeout)
        return ACCEPT

    def _timeout(self, state: str) -> int:
        tcp, get = self.tcp, self.core.sysctl
        name = {"SYN_SENT2": "syn_sent"}.get(state, state.lower())
        normal = get(f"tcp_timeout_{name}")
        if tcp.retrans >= get("tcp_max_retrans") and normal > get("tcp_timeout_max_retrans"):
            return get("tcp_timeout_max_retrans")
        if self.seg.kind == "rst":
            return get("tcp_timeout_close")
        both = tcp.seen[0].flags | tcp.seen[1].flags
        if both & s.DATA_UNACKNOWLEDGED and normal > get("tcp_timeout_unacknowledged"):
            return get("tcp_timeout_unacknowledged")
        if tcp.last_win == 0 and normal > get("tcp_timeout_max_retrans"):
            return get("tcp_timeout_max_retrans")
        return normal


def set_closing(core: Conntrack, conn: Conn) -> None:
    """The firewall itself has reset the connection (nf_conntrack_tcp_set_closing)."""
    if conn.tcp is None or conn.tcp.state == "CLOSE":
        return
    conn.tcp.state = "CLOSE"
    if not conn.status & t.FIXED_TIMEOUT:
        core.refresh(conn, core.sysctl("tcp_timeout_close"))
        conn.events |= record.IPCT_PROTOINFO
