"""A SIP message within a packet, which may be rewritten (kernel: mangle_packet in nf_nat_sip.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.helper_state import SipTalk
from iptables_emu.conntrack.helpers import sdp_text
from iptables_emu.conntrack.helpers.payload import direction_of, mangle, payload_of
from iptables_emu.conntrack.helpers.sip_text import BAD, CONTENT_LENGTH, SipText, Span
from iptables_emu.conntrack.tuples import Tuple
from iptables_emu.model.address import show
from iptables_emu.packet.packet import Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn


class Message:
    """``mine`` is the tuple in the packet's direction and ``peer`` the other one; ``sip`` is the text as it is now."""

    def __init__(self, core: Conntrack, conn: Conn, pkt: Packet, begin: int, size: int) -> None:
        self.core, self.conn, self.pkt = core, conn, pkt
        self.begin, self.size = begin, size
        self.direction = direction_of(pkt)
        self.sip = self._read()

    def _read(self) -> SipText:
        return SipText(payload_of(self.pkt)[self.begin : self.begin + self.size], self.conn.original.family)

    @property
    def talk(self) -> SipTalk:
        return self.conn.helper_state.sip

    @property
    def mine(self) -> Tuple:
        return self.conn.tuples[self.direction]

    @property
    def peer(self) -> Tuple:
        return self.conn.tuples[1 - self.direction]

    @property
    def translated(self) -> bool:
        return bool(self.conn.status & t.NAT_MASK)

    def replace(self, span: Span, text: bytes) -> None:
        """Put a text in place of a part; sequence numbers are left to whoever has gone through all messages."""
        # an ICMP error of the connection is taken for a datagram, and rewritten as one
        layout = self.conn.original.proto
        mangle(self.conn, self.pkt, self.begin + span.start, self.begin + span.end, text, shifts=False, layout=layout)
        self.size += len(text) - (span.end - span.start)
        self.sip = self._read()

    def spell(self, address: int, *, brackets: bool) -> bytes:
        """An address as the kernel writes it."""
        family = self.conn.original.family
        text = show(address, family)
        return (f"[{text}]" if brackets and family == 6 else text).encode()

    def spell_place(self, address: int, port: int) -> bytes:
        return self.spell(address, brackets=True) + b":%d" % port

    def measure(self) -> bool:
        """Correct Content-Length; False: there is no description or no such header (mangle_content_len)."""
        version = sdp_text.line(self.sip, 0, sdp_text.VERSION)
        told = self.sip.header(CONTENT_LENGTH)
        if version is None or version == BAD or not isinstance(told, Span):
            return False
        self.replace(told, b"%d" % (self.size - version.start + len("v=")))
        return True
