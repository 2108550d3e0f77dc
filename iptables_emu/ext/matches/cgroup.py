"""cgroup: the control group of the sending process (kernel: xt_cgroup.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.host.sockets import KERNEL
from iptables_emu.options.types import save_string, string, uint
from iptables_emu.packet.packet import NO_FILE

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Cgroup(Match):
    """The socket is the sender's, in INPUT the connected one that the packet is for. Without one, as of a forwarded
    packet, it matches neither way."""

    MISSING: ClassVar[str] = ": give the socket as one of the host's [[sockets]], with its classid or cgroup"
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
        path = (self.path or "").strip("/")
        return "EINVAL" if path and place.cgroups is not None and path not in place.cgroups else None

    def compile(self, cx: Compile) -> Test:
        below = (self.path or "").strip("/")

        def test(pkt: Packet, ctx: Context) -> bool | None:
            socket = pkt.sk
            if pkt.half_open:
                return False
            if pkt.socket:
                socket = KERNEL if pkt.uid == NO_FILE else socket or ctx.host.sockets.sender(pkt)
            elif socket is None:
                known = ctx.hook != "INPUT" or pkt.iif == "lo" or ctx.host.sockets.known
                return False if known else None
            if self.path is None:
                return None if socket is None or socket.classid is None else self._is(socket.classid)
            if not below:
                return not self.not_path
            if socket is None or socket.cgroup is None:
                return None
            return f"{socket.cgroup}/".startswith(f"{below}/") is not self.not_path

        return test

    def _is(self, classid: int) -> bool:
        return (classid == self.classid) is not self.not_classid

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        socket = pkt.sk or (ctx.host.sockets.sender(pkt) if pkt.socket else None)
        have = f"cgroup /{socket.cgroup or ''}, class {socket.classid}" if socket else "no socket"
        return self.save(base).strip(), have


EXTENSIONS = (Cgroup,)
