"""PPTP's helper: calls announce GRE by call id (kernel: nf_conntrack_pptp.c, nf_nat_pptp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from iptables_emu.conntrack import nat
from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.helpers.payload import direction_of, established, mangle, payload_of
from iptables_emu.conntrack.nat_range import NatRange
from iptables_emu.conntrack.tuples import GRE, ORIGINAL, REPLY, Tuple
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

HEADER, CONTROL_HEADER = 8, 4
MESSAGE: Final = HEADER + CONTROL_HEADER  # where the message's own fields begin
CONTROL = 1
MAGIC = b"\x1a\x2b\x3c\x4d"
CHANNELS = 2
GOOD = 1  # every result code's success

START_REQUEST, START_REPLY, STOP_REQUEST, STOP_REPLY, ECHO_REQUEST, ECHO_REPLY = 1, 2, 3, 4, 5, 6
OUT_REQUEST, OUT_REPLY, IN_REQUEST, IN_REPLY, IN_CONNECT, CLEAR_REQUEST = 7, 8, 9, 10, 11, 12
DISCONNECT, WAN_ERROR, SET_LINK = 13, 14, 15
# the fewest bytes of each message behind its headers
SIZES = {
    START_REQUEST: 144, START_REPLY: 144, STOP_REQUEST: 4, STOP_REPLY: 4, OUT_REQUEST: 156, OUT_REPLY: 20,
    IN_REQUEST: 208, IN_REPLY: 12, IN_CONNECT: 16, CLEAR_REQUEST: 4, DISCONNECT: 136, WAN_ERROR: 28, SET_LINK: 12,
}  # fmt: skip
# where a message names the client's call id: to the server, to the client
TOLD_TO_SERVER = {OUT_REQUEST: 0, IN_REPLY: 0, CLEAR_REQUEST: 0}
TOLD_TO_CLIENT = {OUT_REPLY: 2, IN_CONNECT: 0, WAN_ERROR: 0, DISCONNECT: 0, SET_LINK: 0}

NO_SESSION, SESSION_ERROR, STOP_ASKED, ASKED, CONFIRMED = range(5)
NO_CALL, OUT_ASKED, OUT_CONFIRMED, IN_ASKED, IN_ANSWERED, IN_CONFIRMED, CLEAR_ASKED = range(7)


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """Follow the session and its one call; the client is taken for the one who opened the control connection."""
    data = payload_of(pkt)
    if not established(pkt) or len(data) < MESSAGE or data[2:8] != CONTROL.to_bytes(2, "big") + MAGIC:
        return Verdict.ACCEPT
    kind = int.from_bytes(data[HEADER : HEADER + 2], "big")
    body = data[MESSAGE:]
    if len(body) < SIZES.get(kind, 0):
        return Verdict.ACCEPT
    if direction_of(pkt) == ORIGINAL:
        if _from_client(conn, kind, body) and conn.status & t.NAT_MASK:
            _translate_to_server(conn, pkt, kind)
    elif _from_server(core, conn, kind, body) and conn.status & t.NAT_MASK and kind in TOLD_TO_CLIENT:
        _put(conn, pkt, TOLD_TO_CLIENT[kind], conn.helper_state.pptp.told_pns)
    return Verdict.ACCEPT


def _ids(body: bytes) -> tuple[int, int]:
    return int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")


def _from_client(conn: Conn, kind: int, body: bytes) -> bool:
    """Whether the message fits the state; what does not fit is passed on as it is."""
    talk = conn.helper_state.pptp
    own, other = _ids(body)
    if kind == START_REQUEST and talk.session == NO_SESSION:
        talk.session = ASKED
    elif kind == STOP_REQUEST:
        talk.session = STOP_ASKED
    elif kind == OUT_REQUEST and talk.session == CONFIRMED:
        talk.call, talk.pns = OUT_ASKED, own
    elif kind == IN_REPLY and talk.call in (IN_ASKED, IN_ANSWERED) and talk.pac == other:
        talk.call = IN_ANSWERED if body[4] == GOOD else NO_CALL
        talk.pns = own if body[4] == GOOD else talk.pns
    elif kind == CLEAR_REQUEST and talk.session == CONFIRMED:
        talk.call = CLEAR_ASKED
    else:
        return kind in (SET_LINK, ECHO_REQUEST, ECHO_REPLY)
    return True


def _from_server(core: Conntrack, conn: Conn, kind: int, body: bytes) -> bool:
    talk = conn.helper_state.pptp
    own, other = _ids(body)
    if kind == START_REPLY and talk.session >= ASKED:
        talk.session = CONFIRMED if body[2] == GOOD else SESSION_ERROR
    elif kind == STOP_REPLY and talk.session <= STOP_ASKED:
        talk.session = NO_SESSION if body[0] == GOOD else SESSION_ERROR
    elif kind == OUT_REPLY:
        if talk.session != CONFIRMED or talk.call not in (OUT_ASKED, OUT_CONFIRMED) or talk.pns != other:
            return False
        if body[4] == GOOD:
            talk.call, talk.pac = OUT_CONFIRMED, own
            _expect(core, conn, own, other)
        else:
            talk.call = NO_CALL
    elif kind == IN_REQUEST and talk.session == CONFIRMED:
        talk.call, talk.pac = IN_ASKED, own
    elif kind == IN_CONNECT:
        if talk.session != CONFIRMED or talk.call not in (IN_ANSWERED, IN_CONFIRMED) or talk.pns != own:
            return False
        talk.call = IN_CONFIRMED
        _expect(core, conn, talk.pac, own)
    elif kind == DISCONNECT:
        talk.call = NO_CALL
        forget(core, conn)
    else:
        return kind in (WAN_ERROR, SET_LINK, ECHO_REQUEST, ECHO_REPLY)
    return True


# -- the data channels -----------------------------------------------------------------------------


def _expect(core: Conntrack, conn: Conn, pac: int, pns: int) -> None:
    """GRE either way: whichever comes first cancels the other (exp_gre)."""
    talk = conn.helper_state.pptp
    there, back = (
        Expectation(conn, 4, ends.src, ends.dst, GRE, dport, direction, sport=sport, most=CHANNELS, by_helper=True)
        for direction, ends, sport, dport in ((ORIGINAL, conn.original, pns, pac), (REPLY, conn.reply, pac, pns))
    )
    if conn.status & t.NAT_MASK:
        talk.told_pac = talk.pac
        there.saved_port, there.sport, there.dport = talk.pns, talk.told_pns, talk.pac
        back.saved_port, back.sport, back.dport = talk.told_pns, talk.told_pac, talk.pns
    waiting = core.expectations
    if not waiting.add(there, core.now):
        return
    added = waiting.add(back, core.now)
    if added and core.gre_keys.add(conn, ORIGINAL, _key(there)):
        if core.gre_keys.add(conn, REPLY, _key(back)):
            return
        core.gre_keys.forget(conn)
    waiting.remove(there)
    waiting.remove(back)


def _key(expectation: Expectation) -> Tuple:
    return Tuple(4, expectation.src or 0, expectation.dst, GRE, expectation.sport or 0, expectation.dport)


def arrived(core: Conntrack, conn: Conn, expectation: Expectation) -> None:
    """The other way is not expected any more; call ids are translated as the control connection told them."""
    master, direction = expectation.master, expectation.direction
    talk, back = master.helper_state.pptp, master.tuples[1 - direction]
    if not master.status & t.NAT_MASK:
        _unexpect(core, conn, _key(expectation).inverse())
        return
    # towards the server the kernel looks for ids that it has kept elsewhere
    ids = (talk.pac, talk.pns) if direction == ORIGINAL else (0, 0)
    _unexpect(core, conn, Tuple(4, back.src, back.dst, GRE, *ids))
    key = expectation.saved_port
    source, destination = (key, None) if direction == ORIGINAL else (None, key)
    nat.setup(core, conn, NatRange(back.dst, back.dst, source, source), "src")
    nat.setup(core, conn, NatRange(back.src, back.src, destination, destination), "dst")


def _unexpect(core: Conntrack, conn: Conn, key: Tuple) -> bool:
    found = core.expectations.find(key, conn.zone_of(ORIGINAL))
    if found is not None:
        core.expectations.remove(found)
    return found is not None


def forget(core: Conntrack, conn: Conn) -> None:
    """The call is over, or the control connection: so are its data channels (pptp_destroy_siblings)."""
    talk = conn.helper_state.pptp
    core.gre_keys.forget(conn)
    for ends, ids in ((conn.original, (talk.pns, talk.pac)), (conn.reply, (talk.pac, talk.pns))):
        key = Tuple(4, ends.src, ends.dst, GRE, *ids)
        found = core.table.find(key, conn.zone_of(ORIGINAL))
        if found is not None:
            core.kill(found[0])
        else:
            _unexpect(core, conn, key)


# -- translation -----------------------------------------------------------------------------------


def _translate_to_server(conn: Conn, pkt: Packet, kind: int) -> None:
    """The client's call id becomes the port that it has there."""
    talk = conn.helper_state.pptp
    if kind == OUT_REQUEST:
        talk.told_pns, talk.pns = talk.pns, conn.reply.dport
    if kind in TOLD_TO_SERVER:
        _put(conn, pkt, TOLD_TO_SERVER[kind], talk.pns)


def _put(conn: Conn, pkt: Packet, at: int, ident: int) -> None:
    mangle(conn, pkt, MESSAGE + at, MESSAGE + at + 2, ident.to_bytes(2, "big"))
