"""cgroup: the control group of the sending process (kernel: xt_cgroup.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.options.types import save_string, string, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Cgroup(Match):
    """A forwarded packet has no sender here and never matches. Of a sender only that it is below the root is known."""

    NAME: ClassVar[str] = "cgroup"
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"INPUT", "OUTPUT", "POSTROUTING"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("path", string(size=512), invert=True, metavar="path", help="below this path of the cgroup2 tree"),
        Opt("cgroup", uint(32), invert=True, metavar="classid", help="class id of the net_cls controller"),
    )

    path: str | None = None
    not_path: bool = False
    classid: int | None = None
    not_classid: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        path, classid = given.get("path"), given.get("cgroup")
        return cls(
            path.value if path else None, bool(path and path.inverted),
            classid.value if classid else None, bool(classid and classid.inverted),
        )  # fmt: skip

    def save(self, base: Base) -> str:
        out = ""
        if self.path is not None:
            out += f"{' !' if self.not_path else ''} --path{save_string(self.path)}"
        if self.classid is not None:
            out += f"{' !' if self.not_classid else ''} --cgroup {self.classid}"
        return out

    def listing(self, numeric: bool, base: Base) -> str:
        out = " cgroup"
        if self.path is not None:
            out += f" {'! ' if self.not_path else ''}{self.path}"
        if self.classid is not None:
            out += f" {'! ' if self.not_classid else ''}{self.classid}"
        return out

    def translate(self, base: Base) -> str | None:
        if self.path is not None:
            return None
        return "" if self.classid is None else f"meta cgroup {nft.unless(self.not_classid)}{self.classid}"

    def refused(self, place: Place) -> str | None:
        if (self.path is None) is (self.classid is None):
            return "EINVAL"
        # of the cgroup tree only its root is known to be there
        return "EINVAL" if self.path is not None and self.path.strip("/") else None

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool | None:
            if pkt.forwarded:
                return False
            return not self.not_path if pkt.socket and self.path is not None else None

        return test


EXTENSIONS = (Cgroup,)
