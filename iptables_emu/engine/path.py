"""The way of a packet through the host: input, routing, forwarding, delivery, output (kernel: net/ipv4/ip_*.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack.tcp import set_closing
from iptables_emu.engine import beyond, bridge, fragments, icmp4, icmp6, ip_options, link, path6
from iptables_emu.engine.asked import again, of_socket
from iptables_emu.engine.backlog import Backlog
from iptables_emu.engine.decision import NOWHERE, Decision
from iptables_emu.engine.local import deliver
from iptables_emu.engine.machine import Machine
from iptables_emu.engine.neighbours import Neighbours
from iptables_emu.engine.own import send_own
from iptables_emu.engine.peers import Peers
from iptables_emu.engine.rations import Rations
from iptables_emu.engine.routing import Routing
from iptables_emu.engine.verdict import Verdict
from iptables_emu.model.address import show
from iptables_emu.packet.packet import HOST, LOOPBACK, OTHERHOST, Malformed, Packet
from iptables_emu.trace.events import Delivered, Emitted, Routed

if TYPE_CHECKING:
    from iptables_emu.host.sockets import Socket

ARP = b"\x08\6"


class Path:
    """Moves packets for one machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.host = machine.host
        self.routing = Routing(machine.host)
        machine.path = self
        self._route_of: dict[int, Decision] = {}
        self.backlog = Backlog(self)
        self.icmp_busy: set[int] = set()  # families: the kernel sends no ICMP from within sending ICMP
        self._copying = False
        self.peers = Peers()
        self.neighbours = Neighbours(self)
        self.rations = Rations(self.host, self.peers, machine.rng)
        self.learnt: dict[tuple[str, bytes], str] = {}  # bridge and link address: the port it is behind
        self.met: set[tuple[str, int]] = set()  # next hops that frames went to: the neighbour cache has them

    # -- in ------------------------------------------------------------------------------------

    def receive(self, iface: str, frame: bytes, mark: int = 0) -> None:
        """A frame comes in by an interface."""
        interface = self.host.interfaces.get(iface)
        kind = frame[12:14]
        if interface is None or not interface.up or kind not in (b"\x08\0", b"\x86\xdd", ARP) or len(frame) < 14:
            return
        if kind == ARP:
            self.neighbours.arp(iface, frame)
            return
        try:
            pkt = Packet(frame[14:], iif=iface, eth=frame[:14], mark=mark)
        except Malformed:
            return
        if pkt.family != (4 if kind == b"\x08\0" else 6):
            return
        pkt.pkttype = link.frame_type(frame[:6], interface.mac)
        if interface.master:
            bridge.receive(self, interface, pkt)
        elif pkt.pkttype != OTHERHOST and link.sane(pkt):
            self.input(pkt)
        self.backlog.drain()

    def wait_over(self) -> None:
        """Time has passed: for those who wait for a neighbour, too."""
        self.neighbours.advance(self.machine.now)
        self.backlog.drain()

    def input(self, pkt: Packet, looped_from: int | None = None, known: Decision | None = None) -> None:
        """ip_rcv: PREROUTING, then the routing decision. ``known``: a looped packet keeps the route it was sent by."""
        machine = self.machine
        if pkt.family == 6 and not path6.admitted(self, pkt):
            return
        if not machine.gather(pkt, "in"):
            return
        machine.start(pkt, "wire" if looped_from is None else "loop", looped_from)
        dst = pkt.dst
        if machine.hook("PREROUTING", pkt, pkt.iif, "") is Verdict.ACCEPT:
            self.route_in(pkt, known if pkt.dst == dst else None)

    def route_in(self, pkt: Packet, known: Decision | None = None) -> None:
        """Local, forward, or nowhere."""
        machine = self.machine
        decision = known or self.routing.input(pkt)
        if pkt.physin:
            machine.emit(Routed(pkt.number, "up", f"from port {pkt.physin} up to {pkt.iif}"))
        machine.emit(Routed(pkt.number, decision.kind, decision.text, decision.dev))
        pkt.realm, pkt.routed_here = decision.realm, decision.ends_here
        has_options = pkt.family == 4 and pkt.l4 > 20 and decision.kind != "martian"
        if has_options and not self._read_options(pkt, decision):
            return
        if decision.kind == "local":
            if known is None and pkt.sk is None and not (pkt.mf or pkt.frag_offset):
                pkt.sk = self._early(pkt)
            self.local_in(pkt, decision)
        elif decision.kind == "forward":
            self.forward(pkt, decision)
        else:
            if decision.error and (pkt.family == 6 or self.peers.of(4, pkt.src, machine.now).may_refuse(machine.now)):
                self.error(pkt, *decision.error)
            machine.drop(pkt, "PREROUTING", "", decision.text)

    def _early(self, pkt: Packet) -> Socket | None:
        """The connected socket that the packet is for (tcp_v4_early_demux)."""
        ports = pkt.transport(4)
        if ports is None or not self.host.sysctls.get("net.ipv4.ip_early_demux"):
            return None
        sport, dport = int.from_bytes(ports[:2], "big"), int.from_bytes(ports[2:4], "big")
        return self.host.sockets.connected(pkt.proto, pkt.family, (pkt.src, sport), (pkt.dst, dport))

    def _read_options(self, pkt: Packet, decision: Decision) -> bool:
        """ip_rcv_options; False: the packet ends here."""
        machine = self.machine
        own = pkt.dst if decision.kind == "local" and not decision.broadcast else self.routing.own_address(pkt)
        try:
            pkt.ip_options = ip_options.read(pkt, own, self.clock(), self.unicast)
        except ip_options.BadOption as bad:
            pkt.ip_options = bad.found
            self.error(pkt, 12, 0, bad.pointer << 24)
            machine.drop(pkt, "PREROUTING", "", f"a broken IP option at byte {bad.pointer}")
            return False
        if pkt.ip_options.srr and not self.host.sysctls.both(4, pkt.iif, "accept_source_route"):
            machine.drop(pkt, "PREROUTING", "", "source routing is off")
            return False
        return True

    def clock(self) -> int:
        """Milliseconds since midnight UT."""
        return self.machine.now // 1_000_000 % 86_400_000

    def unicast(self, address: int) -> bool:
        """Whether an IPv4 address is one that packets may be sent to singly."""
        return self.host.addr_type(address, 4) == "UNICAST"

    def local_in(self, pkt: Packet, decision: Decision) -> None:
        """ip_local_deliver: reassembly, INPUT, then the socket or an answer."""
        machine = self.machine
        if pkt.family == 4 and (pkt.mf or pkt.frag_offset):
            number = pkt.number
            whole = machine.fragments.add(pkt, "local", machine.now)
            if whole is None:
                machine.end(pkt, "dropped", "a fragment waits for the others")
                return
            pkt = whole
            pkt.number = number
        if machine.hook("INPUT", pkt, pkt.iif, "") is not Verdict.ACCEPT or beyond.balanced(self, pkt):
            return
        machine.emit(Delivered(pkt.number, bytes(pkt.data)))
        machine.end(pkt, "delivered", f"delivered to this host ({show(pkt.dst, pkt.family)})")
        deliver(self, pkt, decision)

    # -- forward ---------------------------------------------------------------------------------

    def forward(self, pkt: Packet, decision: Decision) -> None:
        """ip_forward: TTL, MTU, redirects, FORWARD, POSTROUTING."""
        machine = self.machine
        if pkt.pkttype != HOST:
            machine.drop(pkt, "PREROUTING", "", "not sent to this host's link address alone")
            return
        if pkt.sk is not None:
            machine.drop(pkt, "PREROUTING", "", "a socket of this host has it already, yet it is routed elsewhere")
            return
        if not (self._forwardable(pkt, decision) if pkt.family == 4 else path6.forwardable(self, pkt, decision)):
            return
        pkt.set_ttl(pkt.ttl - 1)
        pkt.forwarded = True
        decision.show_to(self.host, pkt)
        if pkt.family == 4 and decision.redirect and not (pkt.ip_options and pkt.ip_options.srr):
            self._redirect(pkt, decision)
        if machine.hook("FORWARD", pkt, pkt.iif, decision.dev) is not Verdict.ACCEPT:
            return
        if pkt.ip_options is not None:
            ip_options.forwarded(pkt, pkt.ip_options, decision.source(self.host, pkt.dst) or 0)
        self.output(pkt, decision, pkt.iif)

    def _forwardable(self, pkt: Packet, decision: Decision) -> bool:
        if pkt.ttl <= 1:
            self.error(pkt, 11, 0)
            self.machine.drop(pkt, "PREROUTING", "", "its TTL ran out")
            return False
        mtu = decision.mtu(self.host, forwarding=True)
        if self._too_big(pkt, mtu):
            self.error(pkt, 3, 4, mtu)
            self.machine.drop(pkt, "PREROUTING", "", f"longer than the MTU by {decision.dev}, {mtu}")
            return False
        return True

    def _too_big(self, pkt: Packet, mtu: int) -> bool:
        size = len(pkt.data)
        if pkt.frag_max and pkt.df and pkt.frag_max > mtu:
            return True
        return size > mtu and pkt.df and not pkt.ignore_df

    def _redirect(self, pkt: Packet, decision: Decision) -> None:
        """An ICMP redirect, rationed for each source (ip_rt_send_redirect)."""
        machine = self.machine
        hop = pkt.gateway if pkt.gateway is not None else pkt.dst
        peer = self.peers.of(pkt.family, pkt.src, machine.now)
        if peer.may_redirect(machine.now):
            self.error(pkt, 5, 1, hop)

    # -- out -------------------------------------------------------------------------------------

    def output(self, pkt: Packet, decision: Decision, iif: str) -> None:
        """POSTROUTING, then out of the interface (ip_output, ip_finish_output)."""
        machine = self.machine
        pkt.oif = decision.dev
        to_all = decision.broadcast and decision.dev != "lo" and pkt.family == 4
        if to_all and not iif and (pkt.dst >> 28 != 14 or self.routing.joined(pkt)):
            self.own_multicast(pkt, decision)
            if pkt.ttl == 0 and pkt.dst >> 28 == 14:
                machine.drop(pkt, "OUTPUT", "", "multicast with TTL 0 does not leave the host")
                return
        verdict = machine.hook("POSTROUTING", pkt, iif, decision.dev)
        if verdict is not Verdict.ACCEPT or beyond.transformed(self, pkt):
            return
        if pkt.family == 6:
            path6.finish(self, pkt, decision)
            return
        mtu = decision.mtu(self.host, forwarding=pkt.forwarded)
        if len(pkt.data) > mtu or pkt.frag_max:
            if pkt.df and (not pkt.ignore_df or pkt.frag_max > mtu):
                self.error(pkt, 3, 4, mtu)
                machine.end(pkt, "sent", f"longer than the MTU by {decision.dev}, {mtu}: not sent")
                return
            pieces = fragments.split(pkt, mtu) if len(pkt.data) > min(mtu, pkt.frag_max or mtu) else [bytes(pkt.data)]
        else:
            pieces = [bytes(pkt.data)]
        machine.end(pkt, "sent", f"sent out {decision.dev}")
        for piece in pieces:
            self.transmit(pkt, piece, decision)

    def own_multicast(self, pkt: Packet, decision: Decision) -> None:
        """A copy of a broadcast or multicast packet for this host itself, through POSTROUTING too (ip_mc_output)."""
        machine = self.machine
        copy = pkt.copy()
        legacy = machine.personality == "legacy"
        if not legacy:  # its trace cannot tell the two apart: there the copy goes on as the packet
            machine.start(copy, "copy")
        if machine.hook("POSTROUTING", copy, "", decision.dev) is Verdict.ACCEPT:
            machine.end(copy, "sent", "comes back, for this host listens too")
            copy.iif, copy.oif, copy.pkttype = decision.dev, "", LOOPBACK
            copy.socket, copy.uid, copy.gid = False, None, None
            self.come_back(copy, Decision("local", "for everyone on the link", decision.dev, broadcast=True))
            if legacy:
                machine.start(pkt, "copy")  # a copy that was dropped is not told apart even now

    def come_back(self, pkt: Packet, decision: Decision) -> None:
        """A copy for this host of what it sends."""
        if link.sane(pkt):
            self.backlog.put(pkt, None, decision)

    def transmit(self, pkt: Packet, data: bytes, decision: Decision) -> None:
        """Onto the wire, or back in by lo."""
        interface = self.host.interfaces.get(decision.dev)
        if interface is None or not interface.up or not interface.carrier:
            return
        if interface.kind == "loopback":
            looped = link.looped(pkt, data, decision)
            # an IPv6 fragment has another length than the whole, by which it would be known again
            same = pkt.family == 4 or data[4:6] == pkt.data[4:6]
            if link.sane(looped):
                self.backlog.put(looped, pkt.number if same else None, decision)
            return
        if interface.kind not in ("veth", "bridge"):
            return
        hop = decision.route.via if decision.route and decision.route.via is not None else pkt.dst
        self.met.add((interface.name, hop))
        mac = link.neighbour(self.host, interface.name, hop, pkt, decision)
        if mac is None:
            self.neighbours.wait(hop, pkt, data, decision)
            return
        ether = b"\x08\0" if pkt.family == 4 else b"\x86\xdd"
        frame = mac + interface.mac + ether + data
        if interface.kind == "bridge":
            bridge.send(self, interface, pkt, frame)
        else:
            self.machine.emit(Emitted(pkt.number, decision.dev, frame))

    def send_local(self, pkt: Packet, *, bound: bool = False) -> str:
        """A packet from a raw socket of this host, or from one that has its source address already (``bound``);
        returns the error of the call, or "".
        """
        with self.backlog.call():
            error = self._send_raw(pkt, raw=not bound)
        self.backlog.drain()
        return error

    def _send_raw(self, pkt: Packet, raw: bool) -> str:
        decision = self.routing.output(pkt, raw=raw, said=of_socket(pkt))
        if decision.kind in NOWHERE:
            return decision.text
        to_all = pkt.dst == 0xFFFFFFFF and pkt.family == 4
        if to_all or (decision.route is not None and decision.route.type == "broadcast"):
            return "Permission denied"  # SO_BROADCAST is not set
        if raw and pkt.family == 4 and not pkt.src:
            # the transport checksum stays as it was given
            pkt.data[12:16] = (decision.source(self.host, pkt.dst) or 0x7F000001).to_bytes(4, "big")
            pkt.refresh_ip_checksum()
        if len(pkt.data) > self.host.interfaces[decision.dev].mtu:
            return "Message too long"
        pkt.oif = decision.dev
        return "" if self.local_out(pkt, decision, "local") else "Operation not permitted"

    def local_out(self, pkt: Packet, decision: Decision, origin: str) -> bool:
        """OUTPUT and on; False when OUTPUT does not let it pass."""
        machine = self.machine
        if not machine.gather(pkt, "out"):
            return True
        machine.start(pkt, origin)
        pkt.realm = decision.realm
        self._route_of[pkt.number] = decision
        decision.show_to(self.host, pkt)
        if machine.hook("OUTPUT", pkt, "", decision.dev) is not Verdict.ACCEPT:
            return False
        seen = decision.dev if origin == "copy" else ""  # nf_dup sets the link in skb->dev, as if it came in there
        decision = self._route_of.pop(pkt.number, decision)
        self.output(pkt, decision, seen)
        return True

    def reroute(self, pkt: Packet) -> Verdict:
        """A packet of this host has changed in OUTPUT: route it again (ip_route_me_harder)."""
        decision = self.routing.output(pkt, any_source=True, oif=pkt.oif, said=again(self.host, pkt))
        if decision.kind in NOWHERE:
            return Verdict.DROP
        self._route_of[pkt.number] = decision
        decision.show_to(self.host, pkt)
        pkt.realm = decision.realm
        self.machine.emit(Routed(pkt.number, "again", f"routed again: {decision.text}", decision.dev))
        return Verdict.ACCEPT

    # -- what the host makes itself ----------------------------------------------------------------

    def error(self, pkt: Packet, kind: int, code: int, info: int = 0) -> None:
        """An ICMP error about a packet (icmp_send), where one may be sent."""
        send = icmp6.send_error if pkt.family == 6 else icmp4.send_error
        send(self, pkt, kind, code, info)

    def send_reset(self, data: bytes, cause: Packet) -> None:
        """REJECT's RST, which ends the connection it is about."""
        if cause.ct is not None:
            set_closing(self.machine.conntrack, cause.ct)
        if cause.physin:
            bridge.send_reset(self, data, cause)
        else:
            send_own(self, data, cause, attach=True)

    def send_answer(self, data: bytes, cause: Packet) -> None:
        """SYNPROXY's segment in the place of the connection's other side."""
        send_own(self, data, cause, attach=True, established=True)

    def send_copy(self, copy: Packet, gateway: int, oif: str) -> None:
        """TEE's copy, untracked, towards its gateway; on its way out it is not copied again, by whatever rule."""
        copy.ct, copy.untracked = None, True
        decision = self.routing.via(copy, gateway, oif)
        if decision is None or self._copying:
            return
        copy.oif = decision.dev
        with self.backlog.held():
            self._copying = True  # in_nf_duplicate
            self.local_out(copy, decision, "copy")
            self._copying = False

    def bounce(self, pkt: Packet) -> None:
        """MIRROR: the packet leaves as it is, past every hook."""
        decision = self.routing.output(pkt, any_source=True)
        if decision.kind == "forward":
            self.transmit(pkt, bytes(pkt.data), decision)
