"""What session descriptions announce: RTP and RTCP between the ends of the call (kernel: process_sdp)."""

from __future__ import annotations

from iptables_emu.conntrack.expect import ALREADY, WAITS, Expectation
from iptables_emu.conntrack.helpers import sdp_text, sip_nat
from iptables_emu.conntrack.helpers.sip_message import Message
from iptables_emu.conntrack.helpers.sip_text import BAD, LEAST_PORT, MOST_PORT, Span, number
from iptables_emu.conntrack.tuples import ORIGINAL, Tuple
from iptables_emu.packet.packet import UDP

MEDIA_SECONDS = 180
# name: (class, how many of one connection)
MEDIA = {b"audio ": (1, 4), b"video ": (2, 4), b"image ": (3, 2)}


def process(msg: Message) -> bool:
    """Expect the media of a description, and translate it; False: the packet is dropped."""
    version = sdp_text.line(msg.sip, 0, sdp_text.VERSION)
    if version is None or version == BAD:
        return True
    session = sdp_text.address(msg.sip, version.start, sdp_text.CONNECTION, sdp_text.MEDIA)
    at, count, told = version.start, 0, None
    while count < len(MEDIA):
        line = sdp_text.line(msg.sip, at, sdp_text.MEDIA)
        if line is None or line == BAD:
            break
        name = next(
            (n for n in MEDIA if msg.sip.text.startswith(n, line.start) and len(n) <= line.end - line.start), None
        )
        if name is None:
            at = line.end
            continue
        at = line.start + len(name)
        port = number(msg.sip.text, at)[0]
        if not port:
            continue  # an inactive medium
        own = sdp_text.address(msg.sip, at, sdp_text.CONNECTION, sdp_text.MEDIA)
        address = own or session
        if not LEAST_PORT <= port <= MOST_PORT or address is None:
            return False
        told = _expect(msg, address[0], port, name, Span(at, line.end))
        if told is None or (own and msg.translated and not sip_nat.translate_media_address(msg, at, told)):
            return False
        count += 1
    if told is None and session is not None:
        told = session[0]
    return not msg.translated or told is None or sip_nat.translate_session(msg, version.start, told)


def _expect(msg: Message, address: int, port: int, name: bytes, span: Span) -> int | None:
    """Expect one medium if it is the sender's own (sip_direct_media); the address that is told, None to drop."""
    if address != msg.mine.src:
        return address
    kind, most = MEDIA[name]
    place, direct, known = _shared(msg, address, port, kind)
    address, port = place[0], place[1] & ~1
    if direct:
        msg.replace(span, b"%d" % port)
        if not msg.measure():
            return None
    if known:
        return address
    rtp, rtcp = (
        Expectation(msg.conn, msg.conn.original.family, msg.peer.src, address, UDP, port + more,
                    seconds=MEDIA_SECONDS, most=most, kind=kind)
        for more in (0, 1)
    )  # fmt: skip
    if msg.translated and not direct:
        return sip_nat.expect_media(msg, rtp, rtcp, span)
    waiting, now = msg.core.expectations, msg.core.now
    first = waiting.related(rtp, now, any_master=True)
    if first not in (WAITS, ALREADY):
        return None
    if waiting.related(rtcp, now, any_master=True) in (WAITS, ALREADY):
        return address
    if first == WAITS:
        waiting.remove(rtp)
    return None


def _shared(msg: Message, address: int, port: int, kind: int) -> tuple[tuple[int, int], bool, bool]:
    """(address and port, whether they are another's behind the same translation, whether nothing is left to expect).

    Where another call announces the same, both ends are taken to reach each other directly.
    """
    conn, direct = msg.conn, False
    while True:
        key = Tuple(conn.original.family, msg.peer.src, address, UDP, 0, port)
        found = msg.core.expectations.find(key, conn.zone_of(ORIGINAL))
        if found is None or found.master is conn or found.kind != kind or not _same_helper(found, msg):
            return (address, port), direct, False
        saved = found.saved_addr, found.saved_port
        if direct or saved == (found.dst, found.dport) or not msg.translated:
            return (address, port), direct, True
        (address, port), direct = saved, True


def _same_helper(expectation: Expectation, msg: Message) -> bool:
    """Helpers are one for each transport."""
    master = expectation.master
    return (master.helper, master.original.proto) == (msg.conn.helper, msg.conn.original.proto)
