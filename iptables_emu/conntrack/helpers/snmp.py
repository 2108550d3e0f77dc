"""SNMP through NAT: the client's address in answers and traps (kernel: nf_nat_snmp_basic_main.c and .asn1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.helpers.ber import BadBer, Ber
from iptables_emu.conntrack.helpers.payload import direction_of
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

PORT, TRAP_PORT = 161, 162
UDP_HEADER = 8
LAST_VERSION = 1  # SNMPv2
INTEGER, OCTETS, NULL, OBJECT, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS = 0x40
REQUESTS = (0xA0, 0xA1, 0xA5, 0xA2, 0xA3, 0xA6, 0xA7, 0xA8)
# what a variable may be besides an address: counters and the like, and that it is not there
VALUES = (INTEGER, OCTETS, OBJECT, 0x41, 0x43, 0x44, 0x46, 0x42, NULL, 0x80, 0x81, 0x82)


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """What cannot be read is dropped."""
    header = bytes(pkt.data[pkt.l4 : pkt.l4 + UDP_HEADER])
    sport, dport, length = (int.from_bytes(header[at : at + 2], "big") for at in (0, 2, 4))
    direction = direction_of(pkt)
    if (sport == PORT and direction != REPLY) or (dport == TRAP_PORT and direction != ORIGINAL):
        return Verdict.ACCEPT
    if not conn.status & t.NAT_MASK:
        return Verdict.ACCEPT
    if length != pkt.length - pkt.l4:
        return Verdict.DROP
    old, new = conn.original.src, conn.reply.dst
    if old == new:
        return Verdict.ACCEPT
    begin = pkt.l4 + UDP_HEADER
    try:
        places = addresses(bytes(pkt.data[begin : begin + length - UDP_HEADER]))
    except BadBer:
        return Verdict.DROP
    for place in places:
        _exchange(pkt, begin, place, old.to_bytes(4, "big"), new.to_bytes(4, "big"))
    return Verdict.ACCEPT


def addresses(data: bytes) -> list[int]:
    """Where the values of type IpAddress are in a message."""
    ber, found = Ber(data), list[int]()
    message = ber.enter(SEQUENCE)
    start, end = ber.leaf(INTEGER)
    if end - start != 1 or data[start] > LAST_VERSION:
        raise BadBer("version")
    ber.leaf(OCTETS)
    if not ber.done():  # what is chosen among several may be missing at the end
        request = ber.enter(next((tag for tag in REQUESTS if ber.is_next(tag)), REQUESTS[0]))
        for _ in range(3):
            ber.leaf(INTEGER)
        variables = ber.enter(SEQUENCE)
        _variable(ber, found)  # one at least
        while ber.more(variables):
            _variable(ber, found)
        ber.leave(variables)
        ber.leave(request)
    ber.leave(message)
    return found


def _variable(ber: Ber, found: list[int]) -> None:
    variable = ber.enter(SEQUENCE)
    ber.leaf(OBJECT)
    if not ber.done():
        if ber.is_next(IP_ADDRESS):
            start, end = ber.leaf(IP_ADDRESS)
            if end - start != 4:
                raise BadBer("address")
            found.append(start)
        else:
            ber.leaf(next((tag for tag in VALUES if ber.is_next(tag)), INTEGER))
    ber.leave(variable)


def _exchange(pkt: Packet, begin: int, place: int, old: bytes, new: bytes) -> None:
    """Put one address in place of another, and correct the checksum by the difference (fast_csum)."""
    at = begin + place
    if pkt.data[at : at + 4] != old:
        return
    pkt.data[at : at + 4] = new
    check = int.from_bytes(pkt.data[pkt.l4 + 6 : pkt.l4 + 8], "big")
    if not check:
        return
    odd = b"\0" * (place & 1)
    gone = bytes(byte ^ 0xFF for byte in odd + old + odd)
    total = (check ^ 0xFFFFFFFF) + sum(
        int.from_bytes(part[i : i + 2], "big") for part in (gone, odd + new + odd) for i in range(0, len(part), 2)
    )
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    pkt.data[pkt.l4 + 6 : pkt.l4 + 8] = (total ^ 0xFFFF).to_bytes(2, "big")
