"""Bridges, and the IP hooks that a bridged packet passes (kernel: br_netfilter_hooks.c, br_input.c, br_forward.c)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from iptables_emu.engine import link
from iptables_emu.engine.decision import NOWHERE
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import HOST, OTHERHOST, Packet
from iptables_emu.trace.events import Emitted, Routed

if TYPE_CHECKING:
    from iptables_emu.engine.path import Path
    from iptables_emu.host.host import Host, Interface

CALLS = {4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}


def addressed(host: Host, interface: Interface, pkt: Packet) -> bytes:
    """The link address of a frame that comes in by an interface: of a bridge's port, the neighbour's on the same bridge
    where the packet's way leads there, else the bridge's."""
    if not interface.master:
        return interface.mac
    bridge = host.interfaces[interface.master]
    found = host.fibs[pkt.family].lookup(pkt.dst)
    if found.route is None or found.error or found.type != "unicast" or found.route.dev != bridge.name:
        return bridge.mac
    return host.neighbours.get((bridge.name, pkt.dst), bridge.far_mac)


def receive(path: Path, port: Interface, pkt: Packet) -> None:
    """A frame came in by a port of a bridge: up to the host itself, or on by the other ports."""
    bridge = path.host.interfaces[port.master]
    path.learnt[bridge.name, bytes(pkt.eth[6:12])] = port.name
    pkt.iif = bridge.name
    pkt.pkttype = link.frame_type(pkt.eth[:6], bridge.mac)
    if pkt.pkttype == OTHERHOST and any(bytes(pkt.eth[:6]) == one.mac for one in _of(path, bridge)):
        pkt.pkttype = HOST  # the ports' own addresses are the bridge's, too (br_fdb_add_local)
    hooked = bool(path.host.sysctls.get(CALLS[pkt.family]))
    pkt.physin = port.name if hooked else ""
    if pkt.pkttype == HOST:
        if bridge.up and link.sane(pkt):
            path.input(pkt)
        return
    mac = bytes(pkt.eth[:6])
    outs = list(_ways(path, bridge, port, mac) if pkt.pkttype == OTHERHOST else _ports(path, bridge, port))
    goes_up = pkt.pkttype != OTHERHOST and bridge.up
    if not hooked:
        for out in outs:
            path.machine.emit(Emitted(pkt.number, out.name, bytes(pkt.eth[:14] + pkt.data)))
        if goes_up and link.sane(pkt):
            path.input(pkt)
    elif link.sane(pkt):
        _bridged(path, bridge, pkt, [*outs, None] if goes_up else outs)


def _bridged(path: Path, bridge: Interface, pkt: Packet, ways: Sequence[Interface | None]) -> None:
    """PREROUTING, then each way: out of a port by FORWARD and POSTROUTING, as if the bridge were both sides, without a
    route or a hop counted; None is up to the host itself."""
    machine, before = path.machine, pkt.dst
    pkt.pkttype = HOST if pkt.pkttype == OTHERHOST else pkt.pkttype
    machine.start(pkt, "wire")
    if machine.hook("PREROUTING", pkt, bridge.name, "") is not Verdict.ACCEPT:
        return
    if pkt.dst != before:
        machine.end(pkt, "unknown", "unknown: where a bridged packet goes whose destination was changed")
        return
    legacy = machine.personality == "legacy"
    for number, out in enumerate(ways, 1):
        last = number == len(ways)
        one = pkt if last else pkt.copy()
        if number > 1 if legacy else not last:  # ip_tables' trace tells the copies apart by their order
            machine.start(one, "copy")
        if out is None:
            path.route_in(one)
        else:
            _forward(path, bridge, out, one)
    if not ways:
        machine.drop(pkt, "PREROUTING", "", "its link address is behind the port it came by")


def _forward(path: Path, bridge: Interface, out: Interface, pkt: Packet) -> None:
    machine = path.machine
    machine.emit(Routed(pkt.number, "bridge", f"bridged from {pkt.physin} to {out.name}", bridge.name))
    pkt.physout = out.name
    if machine.hook("FORWARD", pkt, bridge.name, bridge.name) is not Verdict.ACCEPT:
        return
    if machine.hook("POSTROUTING", pkt, "", bridge.name) is not Verdict.ACCEPT:
        return
    machine.end(pkt, "sent", f"bridged out {out.name}")
    machine.emit(Emitted(pkt.number, out.name, bytes(pkt.eth[:14] + pkt.data)))


def send(path: Path, bridge: Interface, pkt: Packet, frame: bytes) -> None:
    """A frame of the host's own, or a routed one, leaves by a bridge."""
    if frame[:6] == bridge.mac:
        return
    for out in _ways(path, bridge, None, frame[:6]):
        path.machine.emit(Emitted(pkt.number, out.name, frame))


def send_reset(path: Path, data: bytes, cause: Packet) -> None:
    """REJECT's RST about what came by a port leaves by it at once, past all hooks, as if the other side had sent it."""
    reset = Packet(data)
    if path.routing.output(reset, any_source=True).kind in NOWHERE:
        return
    if reset.family == 4:
        reset.set_ttl(path.host.sysctls.get("net.ipv4.ip_default_ttl"))
    frame = bytes(cause.eth[6:12] + cause.eth[:6] + cause.eth[12:14] + reset.data)
    path.machine.emit(Emitted(cause.number, cause.physin, frame))


def _ways(path: Path, bridge: Interface, port: Interface | None, mac: bytes) -> Iterator[Interface]:
    """The port behind which an address was seen; all other ports while it was not."""
    known = path.learnt.get((bridge.name, mac))
    for out in _ports(path, bridge, port):
        if known in (None, out.name):
            yield out


def _ports(path: Path, bridge: Interface, port: Interface | None) -> Iterator[Interface]:
    """All but one; the last that was added comes first."""
    return reversed([i for i in _of(path, bridge) if i is not port and i.up])


def _of(path: Path, bridge: Interface) -> list[Interface]:
    return [i for i in path.host.interfaces.values() if i.master == bridge.name]
