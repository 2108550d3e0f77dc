"""CLUSTERIP: share an address among the nodes of a cluster (kernel: ipt_CLUSTERIP.c, gone since 6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.conntrack.jhash import jhash2
from iptables_emu.conntrack.tuples import NEW, RELATED, RELATED_REPLY, WITH_PORTS
from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Outcome, Place, Target, Verdict
from iptables_emu.options.numbers import U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import choice, ether_mac, show_mac, uint
from iptables_emu.packet.packet import HOST, ICMP

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


MOST: Final = 16  # CLUSTERIP_MAX_NODES
MODES: Final = ("sourceip", "sourceip-sourceport", "sourceip-sourceport-destport")
FULL: Final = ("new", "hashmode", "clustermac", "total-nodes", "local-node")


def _multicast_mac(text: str, cx: OptionContext) -> int:
    mac: int = ether_mac(text, cx)
    if not mac >> 40 & 1:
        raise ParameterProblem("MAC has to be a multicast ethernet address")
    return mac


@dataclass(frozen=True, slots=True)
class ClusterIp(Target):
    """A packet whose hash is another node's is dropped; the hash becomes the mark of a new connection. Without ``new``
    it joins a cluster that another rule made: whose packets it takes is then unknown. As it was before it went."""

    NAME: ClassVar[str] = "CLUSTERIP"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("new", None, help="set up a new cluster address"),
        Opt("hashmode", choice({mode: mode for mode in MODES}, lambda text: f'Unknown hashmode "{text}"'),
            metavar="mode", help="what decides the node: " + ", ".join(MODES)),
        Opt("clustermac", _multicast_mac, metavar="mac", help="the cluster's (multicast) MAC address"),
        Opt("total-nodes", uint(16, high=MOST), metavar="number", help="nodes in the cluster"),
        Opt("local-node", uint(16, high=MOST), metavar="number", help="number of this node"),
        Opt("hash-init", uint(32), metavar="number", help="start value of the hash"),
    )  # fmt: skip

    new: bool = False
    mode: str = MODES[0]
    mac: int = 0
    total: int = 0
    local: int = 0
    hash_init: int = 0

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if given and not all(key in given for key in FULL):
            raise ParameterProblem("CLUSTERIP target: Invalid parameter combination")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        if not given:
            return cls()
        mode, mac, total, local = (given[key].value for key in FULL[1:])
        return cls(True, mode, mac, total, local, given["hash-init"].value if "hash-init" in given else 0)

    def _parts(self) -> tuple[str, ...]:
        return self.mode, show_mac(self.mac).upper(), str(self.total), str(self.local), str(self.hash_init & U32)

    def save(self, base: Base) -> str:
        if not self.new:
            return ""
        names = ("hashmode", "clustermac", "total-nodes", "local-node", "hash-init")
        return " --new" + "".join(f" --{name} {part}" for name, part in zip(names, self._parts(), strict=True))

    def listing(self, numeric: bool, base: Base) -> str:
        if not self.new:
            return " CLUSTERIP"
        names = ("hashmode", "clustermac", "total_nodes", "local_node", "hash_init")
        return " CLUSTERIP" + "".join(f" {name}={part}" for name, part in zip(names, self._parts(), strict=True))

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Outcome:
            ctx.note(pkt, "CLUSTERIP: removed in Linux 6.3; shown as it worked before, use the cluster match today")
            if pkt.ct is None:
                return Verdict.DROP
            if pkt.proto == ICMP and pkt.ctinfo in (RELATED, RELATED_REPLY):
                return Flow.CONTINUE
            if not self.new:
                ctx.note(pkt, "CLUSTERIP: without --new its nodes are not known: give all options")
                return Verdict.UNKNOWN
            node = (jhash2(self._hashed(pkt), self.hash_init) * self.total >> 32) + 1
            if pkt.ctinfo == NEW:
                pkt.ct.mark = node
            if node != self.local:
                return Verdict.DROP
            pkt.pkttype = HOST  # though it came to the cluster's multicast address
            return Flow.CONTINUE

        return act

    def _hashed(self, pkt: Packet) -> tuple[int, ...]:
        """What chooses the node: source, source port, destination port, the ports as a little-endian processor has
        them (clusterip_hashfn)."""
        ports = pkt.transport(4) if pkt.proto in WITH_PORTS else None
        words = [int.from_bytes(ports[at : at + 2], "little") if ports else 0 for at in (0, 2)]
        return pkt.src, *words[: MODES.index(self.mode)]

    def refused(self, place: Place) -> str | None:
        return "EINVAL" if self.new and self.local == 0 else None


EXTENSIONS = (ClusterIp,)
