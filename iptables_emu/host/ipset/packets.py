"""What a set looks at in a packet (kernel: the ``kadt`` functions, ip_set_getport.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.host.ipset.element import Key, SetError
from iptables_emu.host.ipset.kinds import Kind
from iptables_emu.model.address import show
from iptables_emu.options.names import protocol_name

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet

ICMP, ICMPV6, NO_NEXT = 1, 58, 59
# the bytes of header that have to be there before a port is read
NEEDED = {6: 20, 132: 12, 17: 8, 136: 8, ICMP: 8, ICMPV6: 8}
HIDDEN_IN_FRAGMENT = frozenset({6, 132, 17, 136, ICMP})


@dataclass(frozen=True, slots=True)
class View:
    """A packet at a hook, with the direction ("src", "dst") of each dimension."""

    pkt: Packet
    dims: tuple[str, ...]
    iif: str = ""
    oif: str = ""

    def source(self, dimension: int) -> bool:
        return self.dims[dimension] == "src" if dimension < len(self.dims) else False

    def address(self, dimension: int) -> int:
        return self.pkt.src if self.source(dimension) else self.pkt.dst

    def interface(self, dimension: int) -> str:
        name = self.iif if self.source(dimension) else self.oif
        if not name:
            raise SetError("EINVAL")
        return name

    def mac(self, dimension: int) -> int:
        """Raises SetError without an Ethernet header, or for the address of zeros."""
        eth = self.pkt.eth
        at = 6 if self.source(dimension) else 0
        value = int.from_bytes(eth[at : at + 6], "big") if len(eth) >= 14 else 0
        if not value:
            raise SetError("EINVAL")
        return value

    def port(self, dimension: int) -> tuple[int, int]:
        """(protocol, port); ICMP's port is type and code. Raises SetError when it cannot be read."""
        pkt = self.pkt
        proto = pkt.proto
        if pkt.family == 6 and (pkt.truncated or pkt.frag_offset or proto == NO_NEXT):
            raise SetError("EINVAL")
        if pkt.family == 4 and (proto == 0 or (pkt.frag_offset and proto in HIDDEN_IN_FRAGMENT)):
            raise SetError("EINVAL")
        needed = 0 if pkt.frag_offset else NEEDED.get(proto, 0)
        if not needed:
            return proto, 0
        data = pkt.transport(needed)
        if data is None:
            raise SetError("EINVAL")
        at = 0 if proto in (ICMP, ICMPV6) or self.source(dimension) else 2
        return proto, int.from_bytes(data[at : at + 2], "big")

    def told(self, kind: Kind) -> str:
        """The packet's values as ``ipset`` would write the element, for people."""
        try:
            key = key_of(kind, self)
        except SetError:
            return "the packet, which lacks what the set looks at,"
        family = self.pkt.family
        parts = {"ip": show(key.ip, family), "net": show(key.ip, family), "mark": f"0x{key.mark:08x}",
                 "port": f"{protocol_name(key.proto, True) or key.proto}:{key.port}", "iface": key.iface,
                 "mac": key.mac.to_bytes(6, "big").hex(":").upper(), "set": show(key.ip, family)}  # fmt: skip
        names = kind.name.partition(":")[2].split(",")
        return ",".join(show(key.ip2, family) if n and w in ("ip", "net") else parts[w] for n, w in enumerate(names))


def key_of(kind: Kind, view: View) -> Key:
    """The packet's values in the dimensions of a type. Raises SetError when it lacks one."""
    ip = ip2 = proto = port = mark = mac = 0
    iface = ""
    for dimension, what in enumerate(kind.name.partition(":")[2].split(",")):
        if what in ("ip", "net") and dimension == 0:
            ip = view.address(0)
        elif what in ("ip", "net"):
            ip2 = view.address(dimension)
        elif what == "port":
            proto, port = view.port(dimension)
        elif what == "mac":
            mac = view.mac(dimension)
        elif what == "mark":
            mark = view.pkt.mark
        elif what == "iface":
            iface = view.interface(dimension)
    return Key(ip=ip, ip2=ip2, proto=proto, port=port, mark=mark, mac=mac, iface=iface)
