"""The parts of a packet's way that are IPv6's own (kernel: ip6_input.c, ip6_output.c, exthdrs.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.engine import fragments6, icmp6
from iptables_emu.engine.decision import Decision
from iptables_emu.engine.routing6 import refusal6
from iptables_emu.engine.verdict import Verdict
from iptables_emu.host.address6 import has_joined, is_multicast
from iptables_emu.packet.packet import HOPOPTS, LOOPBACK, Packet

if TYPE_CHECKING:
    from iptables_emu.engine.path import Path

MINIMUM_MTU = 1280
PAD1, PADN, ROUTER_ALERT, CALIPSO, JUMBO = 0, 1, 5, 7, 194
MOST_OPTIONS, LONGEST_PADDING = 8, 7
LARGEST = 65535
BAD_FIELD, UNKNOWN_HEADER, UNKNOWN_OPTION, INCOMPLETE = 0, 1, 2, 3


def admitted(path: Path, pkt: Packet) -> bool:
    """ip6_rcv_core, as far as it looks at addresses and hop-by-hop options."""
    if not path.host.ipv6:
        return False
    by_lo = pkt.iif == "lo"
    if not by_lo and (pkt.src == 1 or pkt.dst == 1):
        return False
    if is_multicast(pkt.dst):
        scope = pkt.dst >> 112 & 15
        if scope == 0 or (scope == 1 and not by_lo and pkt.pkttype != LOOPBACK):
            return False
    if is_multicast(pkt.src):
        return False
    return pkt.data[6] != HOPOPTS or hop_by_hop(path, pkt)


def hop_by_hop(path: Path, pkt: Packet) -> bool:
    """Whether the hop-by-hop options let the packet in (ipv6_parse_hopopts)."""
    if len(pkt.data) < 48 or len(pkt.data) < 40 + (pkt.data[41] + 1) * 8:
        return False
    return read_options(path, pkt, 40, hop=True)


def read_options(path: Path, pkt: Packet, at: int, *, hop: bool) -> bool:
    """Walk the options of a header; False: the packet is dropped, perhaps with an error (ip6_parse_tlv)."""
    data = pkt.data
    end = at + (data[at + 1] + 1) * 8
    at += 2
    padding = count = 0
    while at < end:
        kind = data[at]
        if kind == PAD1:
            padding += 1
            if padding > LONGEST_PADDING:
                return False
            at += 1
            continue
        if at + 2 > end or at + 2 + data[at + 1] > end:
            return False
        size = data[at + 1] + 2
        if kind == PADN:
            padding += size
            if padding > LONGEST_PADDING or any(data[at + 2 : at + size]):
                return False
        else:
            count += 1
            padding = 0
            if count > MOST_OPTIONS or (not (hop and _known(path, pkt, at)) and not _unknown(path, pkt, at, hop)):
                return False
        at += size
    return True


def _known(path: Path, pkt: Packet, at: int) -> bool:
    """Whether a hop-by-hop option is one that this host reads and finds right."""
    return pkt.data[at] == ROUTER_ALERT and pkt.data[at + 1] == 2


def _unknown(path: Path, pkt: Packet, at: int, hop: bool) -> bool:
    """The option's first bits say what is to be done about it (ip6_tlvopt_unknown)."""
    data = pkt.data
    if hop and data[at] in (ROUTER_ALERT, CALIPSO):
        return False
    if hop and data[at] == JUMBO:
        return _jumbo(path, pkt, at)
    action = data[at] >> 6
    if action == 2 or (action == 3 and not is_multicast(pkt.dst)):
        path.error(pkt, 4, UNKNOWN_OPTION, at)
    return action == 0


def _jumbo(path: Path, pkt: Packet, at: int) -> bool:
    data = pkt.data
    if data[at + 1] != 4 or at & 3 != 2:
        return False
    size = int.from_bytes(data[at + 2 : at + 6], "big")
    if size <= LARGEST:
        path.error(pkt, 4, BAD_FIELD, at + 2)
        return False
    if pkt.length > 40:
        path.error(pkt, 4, BAD_FIELD, at)
    return False  # no frame here is that long


def forwardable(path: Path, pkt: Packet, decision: Decision) -> bool:
    """What ip6_forward asks before the hop limit is lowered; False: the packet has ended."""
    machine = path.machine
    if pkt.ttl <= 1:
        path.error(pkt, 3, 0)
        machine.drop(pkt, "PREROUTING", "", "its hop limit ran out")
        return False
    if decision.redirect:
        icmp6.send_redirect(path, pkt, decision)
    else:
        refused = refusal6(pkt)
        if refused is not None:
            if refused is not True and refused is not False:
                path.error(pkt, *refused)
            machine.drop(pkt, "PREROUTING", "", "its source means nothing on another link")
            return False
    mtu = max(decision.mtu(path.host, forwarding=True), MINIMUM_MTU)
    if len(pkt.data) > mtu and (pkt.frag_max > mtu or not pkt.frag_max):
        icmp6.send_error(path, pkt, 2, 0, mtu, decision.dev)
        machine.drop(pkt, "PREROUTING", "", f"longer than the MTU by {decision.dev}, {mtu}")
        return False
    return True


def finish(path: Path, pkt: Packet, decision: Decision) -> None:
    """ip6_finish_output: as one or in pieces, and a copy of multicast for this host itself."""
    mtu = decision.mtu(path.host)
    pieces: list[bytes] | None = [bytes(pkt.data)]
    if len(pkt.data) > mtu or 0 < pkt.frag_max < len(pkt.data):
        pieces = fragments6.split(pkt, mtu, path.machine.rng)
    if pieces is None:
        icmp6.send_error(path, pkt, 2, 0, mtu, decision.dev)
        path.machine.end(pkt, "sent", f"longer than the MTU by {decision.dev}, {mtu}: not sent")
        return
    path.machine.end(pkt, "sent", f"sent out {decision.dev}")
    for piece in pieces:
        if is_multicast(pkt.dst) and decision.dev != "lo":
            if has_joined(path.host, decision.dev, pkt.dst):
                _own_copy(path, pkt, piece, decision)
            if pkt.ttl == 0 or pkt.dst >> 112 & 15 <= 1:
                continue
        path.transmit(pkt, piece, decision)


def _own_copy(path: Path, pkt: Packet, data: bytes, decision: Decision) -> None:
    """What goes to a group that this host has joined comes in as well, through POSTROUTING once more."""
    machine = path.machine
    copy = pkt.copy()
    copy.replace(data)
    machine.start(copy, "copy")
    if machine.hook("POSTROUTING", copy, "", decision.dev) is not Verdict.ACCEPT:
        return
    machine.end(copy, "sent", "comes back, for this host listens too")
    copy.iif, copy.oif, copy.pkttype = decision.dev, "", LOOPBACK
    copy.socket, copy.uid, copy.gid = False, None, None
    joined = Decision("local", "multicast that this host has joined", decision.dev, decision.route, broadcast=True)
    path.come_back(copy, joined)
