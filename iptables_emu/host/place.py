"""Where a packet starts on a host: on the wire of an interface, or on the host itself."""

from __future__ import annotations

from iptables_emu.host.host import Host, HostError
from iptables_emu.model.address import show
from iptables_emu.packet.packet import Packet


def place(packet: Packet, host: Host) -> str:
    """Settle ``iif`` or ``socket`` of the packet; returns the interface that nobody said, else "". Raises HostError.

    What comes in by lo was made on the host, and so was what has one of its addresses and no interface.
    """
    for name in filter(None, (packet.iif, packet.oif)):
        if name not in host.interfaces:
            raise HostError(f"the host has no interface {name}; it has {', '.join(host.interfaces)}")
    if not packet.iif:
        packet.socket = packet.socket or bool(packet.oif) or host.is_local(packet.src, packet.family)
    elif packet.iif == "lo":
        packet.socket = True
    if packet.socket or packet.iif:
        return ""
    found = host.fibs[packet.family].lookup(packet.src)
    packet.iif = found.route.dev if found.route else ""
    if packet.iif in ("", "lo"):
        example = next((name for name in host.interfaces if name != "lo"), "lo")
        raise HostError(f"no route leads to {show(packet.src, packet.family)}: say where it comes in, as in {example}")
    return packet.iif
