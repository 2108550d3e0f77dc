"""SIP's helper: registrations announce calls, calls announce media (kernel: nf_conntrack_sip.c).

With the module's defaults: sip_direct_signalling and sip_direct_media are on, sip_external_media is off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.expect import SECOND, Expectation
from iptables_emu.conntrack.helpers import sip_media, sip_nat
from iptables_emu.conntrack.helpers.payload import established, payload_of, shift_numbers
from iptables_emu.conntrack.helpers.sip_message import Message
from iptables_emu.conntrack.helpers.sip_nat import SIGNALLING
from iptables_emu.conntrack.helpers.sip_text import (
    BAD,
    CONTACT,
    CONTENT_LENGTH,
    CSEQ,
    EXPIRES,
    LETTERS,
    VIA_UDP,
    SipText,
    Span,
    UriWalk,
    number,
)
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import TCP, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

MASTER_SECONDS = 3600
SIGNALLING_SECONDS = 180
RESPONSE = b"sip/2.0 "
SHORTEST = len("SIP/2.0 200")
END_OF_HEADERS = b"\r\n\r\n"


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """Look at each message of a packet: one of UDP, as many of TCP as are wholly there."""
    if conn.original.proto == TCP and not established(pkt):
        return Verdict.ACCEPT
    payload = payload_of(pkt)
    if not payload:
        return Verdict.ACCEPT
    core.refresh(conn, MASTER_SECONDS)
    if len(payload) < SHORTEST:
        return Verdict.ACCEPT
    if conn.original.proto == TCP:
        return _stream(core, conn, pkt)
    return Verdict.ACCEPT if _message(Message(core, conn, pkt, 0, len(payload))) else Verdict.DROP


def _stream(core: Conntrack, conn: Conn, pkt: Packet) -> Verdict:
    """The messages of a segment; what is not all there is left alone (sip_help_tcp)."""
    begin, shift = 0, 0
    while True:
        rest = payload_of(pkt)[begin:]
        size = _size(rest, conn.original.family)
        if size is None:
            break
        if size > len(rest):
            return Verdict.ACCEPT
        msg = Message(core, conn, pkt, begin, size)
        if not _message(msg):
            return Verdict.DROP
        begin += msg.size
        shift += msg.size - size
    if conn.status & t.NAT_MASK:
        shift_numbers(conn, pkt, shift)
    return Verdict.ACCEPT


def _size(rest: bytes, family: int) -> int | None:
    """How long the first message is, from its Content-Length and where its headers end."""
    told = SipText(rest, family).header(CONTENT_LENGTH)
    if not isinstance(told, Span):
        return None
    length, end = number(rest, told.start)
    blank = rest.find(END_OF_HEADERS, end)
    return None if end == told.start or length > len(rest) or blank < 0 else blank + len(END_OF_HEADERS) + length


def _message(msg: Message) -> bool:
    """False: the packet is dropped."""
    good = _response(msg) if msg.sip.low.startswith(RESPONSE) else _request(msg)
    return good and (not msg.translated or sip_nat.translate_message(msg))


def _cseq(msg: Message) -> tuple[int, Span] | None:
    span = msg.sip.header(CSEQ)
    if not isinstance(span, Span):
        return None
    value, end = number(msg.sip.text, span.start)
    return None if end == span.start else (value, span)


# -- requests ------------------------------------------------------------------------------------


def _request(msg: Message) -> bool:
    via = msg.sip.uri(VIA_UDP)
    if isinstance(via, tuple) and via[0].address == msg.mine.src and via[0].port != msg.mine.sport:
        msg.talk.cisco_port = via[0].port
    for method, act in REQUESTS.items():
        letter = LETTERS.match(msg.sip.text, len(method) + 1)
        if msg.sip.low.startswith(method + b" ") and letter and letter[0]:
            found = _cseq(msg)
            return found is not None and act(msg, found[0])
    return True


def _invite(msg: Message, cseq: int) -> bool:
    _forget_media(msg)
    if not sip_media.process(msg):
        return False
    msg.talk.invite_cseq = cseq
    return True


def _describe(msg: Message, cseq: int) -> bool:
    return sip_media.process(msg)


def _bye(msg: Message, cseq: int) -> bool:
    _forget_media(msg)
    return True


def _forget_media(msg: Message) -> None:
    for expectation in msg.core.expectations.of(msg.conn):
        if expectation.kind != SIGNALLING:
            msg.core.expectations.remove(expectation)


def _register(msg: Message, cseq: int) -> bool:
    """Calls may come from the registrar to the Contact once it has agreed."""
    if msg.conn.status & t.EXPECTED:
        return True
    expires = _expires(msg)
    contact = msg.sip.uri(CONTACT)
    if not isinstance(contact, tuple):
        return contact != BAD
    place, span = contact
    if place.address != msg.mine.src or not _same_transport(msg, span.end):
        return True
    told = msg.sip.number_parameter(span.end, b"expires=")
    if told == BAD:
        return False
    if told is not None:
        expires = told[0]
    if expires:
        wanted = Expectation(
            msg.conn, msg.conn.original.family, msg.peer.src, place.address, msg.conn.original.proto, place.port,
            seconds=SIGNALLING_SECONDS, kind=SIGNALLING, permanent=True, inactive=True, helper=msg.conn.helper,
        )  # fmt: skip
        if msg.translated:
            if not sip_nat.expect_signalling(msg, wanted, span):
                return False
        elif not msg.core.expectations.add(wanted, msg.core.now):
            return False
    msg.talk.register_cseq = cseq
    return True


def _expires(msg: Message) -> int:
    span = msg.sip.header(EXPIRES)
    return number(msg.sip.text, span.start)[0] if isinstance(span, Span) else 0


def _same_transport(msg: Message, at: int) -> bool:
    span = msg.sip.parameter(at, b"transport=")
    name = b"tcp" if msg.conn.original.proto == TCP else b"udp"
    return span is None or msg.sip.low.startswith(name, span.start)


REQUESTS: dict[bytes, Callable[[Message, int], bool]] = {
    b"invite": _invite, b"update": _describe, b"ack": _describe, b"prack": _describe, b"bye": _bye,
    b"register": _register,
}  # fmt: skip


# -- responses -----------------------------------------------------------------------------------


def _response(msg: Message) -> bool:
    if msg.size < SHORTEST:
        return True
    code = number(msg.sip.text, len(RESPONSE))[0]
    found = _cseq(msg) if code else None
    if found is None:
        return False
    cseq, span = found
    method = msg.sip.low[span.end + 1 :]
    if method.startswith((b"invite", b"update", b"prack")):
        if 100 <= code <= 299:
            return sip_media.process(msg)
        if msg.talk.invite_cseq == cseq:
            _forget_media(msg)
    elif method.startswith(b"register"):
        return _registered(msg, cseq, code)
    return True


def _registered(msg: Message, cseq: int, code: int) -> bool:
    """The registrar's answer: the calls that were announced may come, or are forgotten."""
    if msg.talk.register_cseq != cseq or 100 <= code <= 199:
        return True
    if 200 <= code <= 299:
        expires = _expires(msg)
        walk = UriWalk(msg.sip, CONTACT)
        while (contact := walk.next()) is not None:
            if contact == BAD:
                return False
            place, span = contact
            if place.address != msg.mine.dst or not _same_transport(msg, span.end):
                continue
            told = msg.sip.number_parameter(span.end, b"expires=")
            if told == BAD:
                return False
            seconds = expires if told is None else told[0]
            if not seconds:
                break
            if _refresh(msg, place.address, place.port, seconds):
                return True
    for expectation in msg.core.expectations.of(msg.conn):
        if expectation.kind == SIGNALLING:
            msg.core.expectations.remove(expectation)
            break
    return True


def _refresh(msg: Message, address: int, port: int, seconds: int) -> bool:
    """Whether what was announced is found; it waits from now on."""
    for expectation in msg.core.expectations.of(msg.conn):
        place = expectation.kind, expectation.dst, expectation.proto, expectation.dport
        if place == (SIGNALLING, address, msg.conn.original.proto, port):
            expectation.until = msg.core.now + seconds * SECOND
            expectation.inactive = False
            return True
    return False
