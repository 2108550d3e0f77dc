"""cluster: whether this node of a cluster owns the connection (kernel: xt_cluster.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext.api import Base, Gathered, Match, Opt
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import uint

MOST = 32  # XT_CLUSTER_NODES_MAX


@dataclass(frozen=True, slots=True)
class Cluster(Match):
    """``nodes`` has a bit for each local node. The meaning (a hash of the connection's source) is not given yet."""

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


EXTENSIONS = (Cluster,)
