"""Where a packet goes on to what is not played here: IPsec's transformations, IPVS' way to a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iptables_emu.engine.path import Path
    from iptables_emu.packet.packet import Packet

IPSEC = {50: "ESP", 51: "AH", 108: "IPComp"}


def transformed(path: Path, pkt: Packet) -> bool:
    """Whether a packet that has passed POSTROUTING leaves by IPsec (xfrm4_output); then its trace ends so."""
    way = next((way for way in path.host.ipsec if way.dir == "out" and way.selector.selects(pkt)), None)
    if way is None:
        return False
    names = " and ".join(IPSEC[state.proto] for state in way.states)
    path.machine.end(pkt, "sent", f"sent out {pkt.oif} by {names}: its way through OUTPUT as such is not shown")
    return True


def balanced(path: Path, pkt: Packet) -> bool:
    """Whether IPVS takes a packet that has passed INPUT (ip_vs_in); then its trace ends so."""
    ports = pkt.transport(4)
    if ports is None:
        return False
    end = pkt.dst, int.from_bytes(ports[2:4], "big")
    found = next((one for one in path.host.ipvs if one.virtual == end and one.holds(pkt)), None)
    if found is not None:
        path.machine.end(pkt, "stolen", f"taken by IPVS ({found.method}): its way to the real server is not shown")
    return found is not None
