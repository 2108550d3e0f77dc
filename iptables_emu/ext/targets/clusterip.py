"""CLUSTERIP: share an address among the nodes of a cluster (kernel: ipt_CLUSTERIP.c, gone since 6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from iptables_emu.ext.api import Base, Gathered, Opt, Place, Target
from iptables_emu.options.numbers import U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import choice, ether_mac, show_mac, uint

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
    """Without ``new`` it joins a cluster that another rule made. Which packets this node takes is not worked out."""

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

    def refused(self, place: Place) -> str | None:
        return "EINVAL" if self.new and self.local == 0 else None


EXTENSIONS = (ClusterIp,)
