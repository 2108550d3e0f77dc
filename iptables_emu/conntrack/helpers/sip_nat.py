"""Translation of what SIP messages say, and of the connections that they announce (kernel: nf_nat_sip.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack import nat
from iptables_emu.conntrack.expect import BUSY, WAITS, Expectation
from iptables_emu.conntrack.helpers import sdp_text
from iptables_emu.conntrack.helpers.payload import mangle
from iptables_emu.conntrack.helpers.sip_message import Message
from iptables_emu.conntrack.helpers.sip_text import (
    BAD,
    CONTACT,
    FROM,
    LEAST_PORT,
    TO,
    VIA_TCP,
    VIA_UDP,
    Header,
    Place,
    Span,
    UriWalk,
)
from iptables_emu.conntrack.nat_range import NatRange
from iptables_emu.conntrack.tuples import REPLY
from iptables_emu.packet.packet import TCP

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn

SIGNALLING = 0  # the class of expected signalling connections
MOST_PORT = 65535


def translate_message(msg: Message) -> bool:
    """The request's address, the topmost Via, all Contacts, From and To (nf_nat_sip); False: it is dropped."""
    request = not msg.sip.low.startswith(b"sip/2.0")
    if request:
        uri = msg.sip.request_uri()
        if uri is not None:
            _map(msg, uri.span, uri)
    _translate_via(msg, request)
    walk = UriWalk(msg.sip, CONTACT)
    while isinstance(found := walk.next(), tuple):
        _map(msg, found[1], found[0])
        walk.sip = msg.sip
    for kind in (FROM, TO):
        _map_header(msg, kind)
    if msg.direction == REPLY and msg.talk.cisco_port:
        if msg.conn.original.proto == TCP:
            return False  # only a datagram's port can be set here
        msg.pkt.set_l4(2, msg.talk.cisco_port.to_bytes(2, "big"))
        mangle(msg.conn, msg.pkt, 0, 0, b"")
    return True


def _map_header(msg: Message, kind: Header) -> None:
    found = msg.sip.uri(kind)
    if isinstance(found, tuple):
        _map(msg, found[1], found[0])


def _map(msg: Message, span: Span, place: Place) -> None:
    """An end of the connection becomes what it is on the other side (map_addr)."""
    mine, peer = msg.mine, msg.peer
    told = (place.address, place.port)
    if told == (mine.src, mine.sport):
        new = peer.dst, peer.dport
    elif told == (mine.dst, mine.dport):
        new = peer.src, msg.talk.cisco_port or peer.sport
    else:
        return
    if new != told:
        msg.replace(span, msg.spell_place(*new))


def _translate_via(msg: Message, request: bool) -> None:
    """The topmost Via and its parameters, where it is of this connection."""
    found = msg.sip.uri(VIA_TCP if msg.conn.original.proto == TCP else VIA_UDP)
    if not isinstance(found, tuple):
        return
    place, span = found
    mine, peer = msg.mine, msg.peer
    if (place.address, place.port) != ((mine.src, mine.sport) if request else (mine.dst, mine.dport)):
        return
    size = msg.size
    _map(msg, span, place)
    end = span.end + msg.size - size
    maddr = msg.sip.address_parameter(end, b"maddr=", strict=True)
    if maddr is not None and maddr[0] == mine.src != peer.dst:
        msg.replace(maddr[1], msg.spell(peer.dst, brackets=True))
    received = msg.sip.address_parameter(end, b"received=", strict=False)
    if received is not None and received[0] == mine.dst != peer.src:
        msg.replace(received[1], msg.spell(peer.src, brackets=False))
    rport = msg.sip.number_parameter(end, b"rport=")
    if isinstance(rport, tuple) and LEAST_PORT <= rport[0] == mine.dport != peer.sport:
        msg.replace(rport[1], b"%d" % peer.sport)


# -- announced connections -----------------------------------------------------------------------


def expect_signalling(msg: Message, expectation: Expectation, span: Span) -> bool:
    """Wait where the registrar sees the client, and tell it so (nf_nat_sip_expect); False: no port is left."""
    mine, peer = msg.mine, msg.peer
    place = expectation.dst, expectation.dport
    _saved(msg, expectation)
    if expectation.dport == (msg.talk.cisco_port or mine.sport):
        expectation.dport = peer.dport
    core = msg.core
    if not core.expectations.add_at_port(expectation, core.now, core.rng):
        return False
    if (expectation.dst, expectation.dport) != place:
        msg.replace(span, msg.spell_place(expectation.dst, expectation.dport))
    return True


def expect_media(msg: Message, rtp: Expectation, rtcp: Expectation, span: Span) -> int | None:
    """Wait at a pair of ports where the peer sees the sender, and tell it so (nf_nat_sdp_media). The address told."""
    port = rtp.dport
    for expectation in (rtp, rtcp):
        _saved(msg, expectation)
    waiting, now = msg.core.expectations, msg.core.now
    for rtp.dport in range(port, MOST_PORT + 1, 2):
        rtcp.dport = rtp.dport + 1
        outcome = waiting.related(rtp, now, any_master=True)
        if outcome == WAITS:
            outcome = waiting.related(rtcp, now, any_master=True)
            if outcome == WAITS:
                break
            waiting.remove(rtp)
        if outcome != BUSY:
            return None
    else:
        return None
    if rtp.dport != port:
        msg.replace(span, b"%d" % rtp.dport)
        if not msg.measure():
            waiting.remove(rtp)
            waiting.remove(rtcp)
            return None
    return rtp.dst


def _saved(msg: Message, expectation: Expectation) -> None:
    expectation.saved_addr, expectation.saved_port = expectation.dst, expectation.dport
    if msg.mine.src != msg.peer.dst:
        expectation.dst = msg.peer.dst
    expectation.direction = 1 - msg.direction
    expectation.by_helper = True


def arrived(core: Conntrack, conn: Conn, expectation: Expectation) -> None:
    """To whom it was announced by; from where its master's other end is seen (nf_nat_sip_expected)."""
    place = expectation.saved_addr, expectation.saved_port
    nat.setup(core, conn, NatRange(place[0], place[0], place[1], place[1]), "dst")
    source = _source(core, conn, expectation)
    if source is not None:
        nat.setup(core, conn, source, "src")


def _source(core: Conntrack, conn: Conn, expectation: Expectation) -> NatRange | None:
    origin, master = conn.original, expectation.master
    if expectation.kind != SIGNALLING:
        for pair in core.expectations.of(master):
            if (pair.proto, pair.saved_addr, pair.saved_port) == (origin.proto, origin.src, origin.sport):
                return NatRange(pair.dst, pair.dst, pair.dport, pair.dport)
    if origin.src != master.tuples[expectation.direction].src:
        return None
    address = master.tuples[1 - expectation.direction].dst
    return NatRange(address, address)


# -- session descriptions ------------------------------------------------------------------------


def translate_media_address(msg: Message, at: int, address: int) -> bool:
    """A medium's own connection line (nf_nat_sdp_addr)."""
    return _rewrite(msg, at, sdp_text.CONNECTION, address) and msg.measure()


def translate_session(msg: Message, at: int, address: int) -> bool:
    """The owner, and the session's connection line if it has one (nf_nat_sdp_session)."""
    if not _rewrite(msg, at, sdp_text.OWNER, address):
        return False
    _rewrite(msg, at, sdp_text.CONNECTION, address)
    return msg.measure()


def _rewrite(msg: Message, at: int, kind: sdp_text.Line, address: int) -> bool:
    """Whether there is such a line to put the address in."""
    span = sdp_text.line(msg.sip, at, kind, sdp_text.MEDIA)
    if span is None or span == BAD:
        return False
    msg.replace(span, msg.spell(address, brackets=False))
    return True
