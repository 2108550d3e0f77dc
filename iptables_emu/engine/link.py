"""The links: which frames are taken, what lo hands in again, who the next hop is (ip_rcv_core, ip_finish_output2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.packet import BROADCAST, HOST, MULTICAST, OTHERHOST, Packet

if TYPE_CHECKING:
    from iptables_emu.engine.decision import Decision
    from iptables_emu.host.host import Host

TO_EVERYONE = b"\xff" * 6


def frame_type(dst: bytes, mac: bytes) -> int:
    """Whom a frame is for (eth_type_trans)."""
    if dst[0] & 1:
        return BROADCAST if dst == TO_EVERYONE else MULTICAST
    return HOST if dst == mac else OTHERHOST


def sane(pkt: Packet) -> bool:
    """What ip_rcv_core and ip6_rcv_core take: lengths and the header checksum; trailing bytes are cut off."""
    data = pkt.data
    if pkt.family == 4:
        header = (data[0] & 15) * 4
        if internet_checksum(bytes(data[:header])) or pkt.length < header or len(data) < pkt.length:
            return False
    elif len(data) < pkt.length:
        return False
    if len(data) > pkt.length:
        del data[pkt.length :]
        pkt.refresh()
    return True


def looped(pkt: Packet, data: bytes, decision: Decision) -> Packet:
    """A packet (or a fragment of it, ``data``) as lo hands it in again: it keeps its connection, but no socket."""
    again = pkt.copy() if data == bytes(pkt.data) else Packet(data, mark=pkt.mark)
    again.ct, again.ctinfo, again.untracked = pkt.ct, pkt.ctinfo, pkt.untracked
    again.related_to_untracked = pkt.related_to_untracked
    again.iif, again.oif = "lo", ""
    again.eth = bytes(12) + (b"\x08\0" if pkt.family == 4 else b"\x86\xdd")
    again.pkttype = HOST
    again.frag_max, again.frag_sizes, again.forwarded = 0, (), False
    again.socket, again.uid, again.gid, again.sk = False, None, None, None
    again.half_open = False
    again.ip_options, again.sum_valid = None, False
    again.routed_here = False
    again.physin = again.physout = ""
    again.link = decision.route.dev if decision.route else ""
    return again


def neighbour(host: Host, dev: str, hop: int, pkt: Packet, decision: Decision) -> bytes | None:
    """The link address of the next hop (arp_constructor, ndisc_constructor)."""
    known = host.neighbours.get((dev, hop))
    if known is not None:
        return known
    if pkt.family == 4 and hop >> 28 == 14:
        return b"\x01\0\x5e" + (hop & 0x7FFFFF).to_bytes(3, "big")
    if pkt.family == 6 and hop >> 120 == 0xFF:
        return b"\x33\x33" + (hop & 0xFFFFFFFF).to_bytes(4, "big")
    interface = host.interfaces[dev]
    if not interface.arp:
        return interface.mac
    return TO_EVERYONE if decision.broadcast else None
