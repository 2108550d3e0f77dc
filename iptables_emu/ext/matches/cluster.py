"""cluster: whether this node of a cluster owns the connection (kernel: xt_cluster.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.conntrack.jhash import jhash2, words_of
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import uint
from iptables_emu.packet.packet import HOST, MULTICAST

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

MOST = 32  # XT_CLUSTER_NODES_MAX


@dataclass(frozen=True, slots=True)
class Cluster(Match):
    """``nodes`` has a bit for each local node. A hash of the connection's source tells which node it belongs to."""

    NAME: ClassVar[str] = "cluster"
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("cluster-total-nodes", uint(32, 1, MOST), mandatory=True, metavar="number", help="nodes of the cluster"),
        Opt("cluster-local-node", uint(32, 1, MOST), invert=True, excludes=("cluster-local-nodemask",),
            metavar="number", help="number of this node"),
        Opt("cluster-local-nodemask", uint(32, 1, MOST), invert=True, excludes=("cluster-local-node",),
            metavar="mask", help="the nodes that this one stands for, as bits"),
        Opt("cluster-hash-seed", uint(32), mandatory=True, metavar="number", help="seed of the hash"),
    )  # fmt: skip

    total: int
    nodes: int
    seed: int
    inverted: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        whole = "cluster-total-nodes" in given and "cluster-hash-seed" in given
        if not ("cluster-local-node" in given or "cluster-local-nodemask" in given):
            raise ParameterProblem(
                "cluster match: `--cluster-local-node' or`--cluster-local-nodemask' is missing"
            )
        if not whole or cls.parse(given, base).nodes < 1 << given["cluster-total-nodes"].value:
            return
        if "cluster-local-node" in given:
            raise ParameterProblem("cluster match: `--cluster-local-node' must be <= `--cluster-total-nodes'")
        raise ParameterProblem("cluster match: `--cluster-local-nodemask' too big for `--cluster-total-nodes'")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        # of both the later one counts, but then the table refuses them
        key, local = next((k, g) for k, g in reversed(list(given.items())) if k.startswith("cluster-local"))
        nodes = 1 << local.value - 1 if key == "cluster-local-node" else local.value
        return cls(given["cluster-total-nodes"].value, nodes, given["cluster-hash-seed"].value, local.inverted)

    def save(self, base: Base) -> str:
        return (
            f"{' !' if self.inverted else ''} --cluster-local-nodemask 0x{self.nodes:08x}"
            f" --cluster-total-nodes {self.total} --cluster-hash-seed 0x{self.seed:08x}"
        )

    def listing(self, numeric: bool, base: Base) -> str:
        sign = "!" if self.inverted else ""
        return f" cluster {sign}node_mask=0x{self.nodes:08x} total_nodes={self.total} hash_seed=0x{self.seed:08x}"

    def translate(self, base: Base) -> str:
        """Upstream gives one node by its number from 1, several from 0, and forgets the inversion."""
        nodes = [node for node in range(MOST) if self.nodes >> node & 1]
        which = f"eq {nodes[0] + 1}" if len(nodes) == 1 else f"{{ {', '.join(map(str, nodes))} }}"
        return f"jhash ct original saddr mod {self.total} seed 0x{self.seed:08x} {which} meta pkttype set host"

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool:
            group = pkt.dst >> 28 == 0xE if pkt.family == 4 else pkt.dst >> 120 == 0xFF
            if pkt.pkttype == MULTICAST and not group:
                pkt.pkttype = HOST  # sent to all nodes by a shared address: this one takes it as its own
            if pkt.ct is None or pkt.ct.template:
                return False
            # of an IPv6 address only the first word counts: the kernel divides a number of words by the size of one
            source = (pkt.ct.master or pkt.ct).original.src
            node = jhash2(words_of(source, pkt.family)[:1], self.seed) * self.total >> 32
            return bool(self.nodes >> node & 1) is not self.inverted

        return test


EXTENSIONS = (Cluster,)
