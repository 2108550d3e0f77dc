"""Neighbours whose link address is not known yet: three questions a second apart, then an error
(kernel: core/neighbour.c, ipv4/arp.c, ipv6/ndisc.c). What is known stays known here: nobody is asked again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iptables_emu.engine import icmp6, link, ndisc
from iptables_emu.model.address import show
from iptables_emu.packet.headers import ipv4
from iptables_emu.packet.packet import LOOPBACK, OTHERHOST, UDP, Packet
from iptables_emu.trace.events import Emitted, Noted

if TYPE_CHECKING:
    from iptables_emu.engine.decision import Decision
    from iptables_emu.engine.path import Path

SECOND = 1_000_000_000
QUESTIONS = 3
ETHERNET_IPV4 = b"\0\1\x08\0\6\4"
REQUEST, REPLY = 1, 2
NOBODY = bytes(6)
TO_EVERYONE = b"\xff" * 6

Key = tuple[str, int]


@dataclass(slots=True)
class Waiting:
    """A neighbour that is being asked for; its packets wait, each as what goes onto the wire."""

    asked: int
    next_at: int
    packets: list[tuple[Packet, bytes, Decision]] = field(default_factory=list)


class Neighbours:
    """The neighbours of one host that it has to ask for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: dict[Key, Waiting] = {}
        self._learnt: set[Key] = set()  # what others have told; what the host's description says stays

    def wait(self, hop: int, pkt: Packet, data: bytes, decision: Decision) -> None:
        """A packet for a neighbour whose address is not known (__neigh_event_send)."""
        now, key = self._path.machine.now, (decision.dev, hop)
        entry = self._waiting.get(key)
        if entry is not None:
            entry.packets.append((pkt, data, decision))
            return
        entry = self._waiting[key] = Waiting(1, now + SECOND, [(pkt, data, decision)])
        self._path.host.unreachable.add(key)
        self._tell(pkt, f"asks who has {show(hop, 6 if hop >> 32 else 4)} on {decision.dev}, and waits")
        self._ask(key, entry)

    def advance(self, now: int) -> None:
        """Ask again, and give up (neigh_timer_handler)."""
        while True:
            due = [(entry.next_at, key) for key, entry in self._waiting.items() if entry.next_at <= now]
            if not due:
                return
            at, key = min(due, key=lambda item: item[0])
            entry = self._waiting[key]
            if entry.asked < QUESTIONS:
                entry.asked += 1
                entry.next_at = at + SECOND
                self._ask(key, entry)
                continue
            del self._waiting[key]
            for pkt, _, decision in entry.packets:
                self._tell(pkt, f"nobody on {key[0]} answered: host unreachable")
                self._fail(pkt, decision)

    def learn(self, key: Key, mac: bytes, *, only_known: bool = False) -> None:
        """A neighbour has told its link address; what waited for it goes out. ``only_known``: nothing is remembered
        of a neighbour that nobody has asked for."""
        host = self._path.host
        if key in host.neighbours and key not in self._learnt:
            return
        entry = self._waiting.pop(key, None)
        if only_known and entry is None and key not in self._learnt and key not in host.unreachable:
            return
        self._learnt.add(key)
        host.unreachable.discard(key)
        host.neighbours[key] = mac
        for pkt, data, decision in entry.packets if entry else ():
            self._path.transmit(pkt, data, decision)

    # -- what is sent ----------------------------------------------------------------------------

    def _ask(self, key: Key, entry: Waiting) -> None:
        dev, target = key
        pkt, _, _ = entry.packets[-1]
        if pkt.family == 6 and target >> 32:
            ndisc.solicit(self._path, dev, target, pkt)
            return
        host = self._path.host
        mine = pkt.family == 4 and host.is_local(pkt.src, 4)
        source = pkt.src if mine else host.select_source(dev, 4, target)
        if source is not None:
            self._send_arp(dev, REQUEST, source, TO_EVERYONE, NOBODY, target, pkt.number)

    def _send_arp(self, dev: str, kind: int, source: int, to: bytes, mac: bytes, target: int, number: int = 0) -> None:
        own = self._path.host.interfaces[dev].mac
        body = ETHERNET_IPV4 + kind.to_bytes(2, "big") + own + source.to_bytes(4, "big") + mac
        frame = to + own + b"\x08\6" + body + target.to_bytes(4, "big")
        self._path.machine.emit(Emitted(number, dev, frame))

    def _fail(self, pkt: Packet, decision: Decision) -> None:
        """arp_error_report, ndisc_error_report."""
        if pkt.family == 6:
            icmp6.send_error(self._path, pkt, 1, 3, dev=decision.dev)
        else:
            self._path.error(pkt, 3, 1)

    def _tell(self, pkt: Packet, text: str) -> None:
        self._path.machine.emit(Noted(pkt.number, text))

    # -- what comes in ---------------------------------------------------------------------------

    def arp(self, dev: str, frame: bytes) -> None:
        """arp_rcv: who asks for an address of the host is answered."""
        host, body = self._path.host, frame[14:]
        interface = host.interfaces[dev]
        kind = int.from_bytes(body[6:8], "big")
        pkttype = link.frame_type(frame[:6], interface.mac)
        if not interface.arp or len(body) < 28 or body[:6] != ETHERNET_IPV4 or kind not in (REQUEST, REPLY):
            return
        if pkttype in (OTHERHOST, LOOPBACK):
            return
        mac, source, target = body[8:14], int.from_bytes(body[14:18], "big"), int.from_bytes(body[24:28], "big")
        if target >> 28 == 14 or (target >> 24 == 127 and not host.sysctls.either(4, dev, "route_localnet")):
            return
        key = (dev, source)
        if kind == REQUEST:
            if not source:
                if host.is_local(target, 4):
                    self._send_arp(dev, REPLY, target, mac, mac, source)
                return
            probe = Packet(ipv4(source, target, UDP, bytes(8)), iif=dev)
            decision = self._path.routing.input(probe)
            if decision.kind == "local" and not decision.broadcast:
                self.learn(key, mac)
                self._send_arp(dev, REPLY, target, mac, mac, source)
                return
        self.learn(key, mac, only_known=True)


