"""SYNPROXY: answer SYNs with cookies in a server's stead (kernel: ipt_SYNPROXY.c, nf_synproxy_core.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Outcome, Target, Verdict
from iptables_emu.options.types import uint
from iptables_emu.packet.packet import transport_checksum_good

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

FLAGS: Final = ("sack-perm", "timestamp", "ecn")
FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass(frozen=True, slots=True)
class SynProxy(Target):
    """The handshake in the server's stead (an opening SYN, a bare ACK) is not played: its packets are unknown."""

    NAME: ClassVar[str] = "SYNPROXY"
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"INPUT", "FORWARD"})
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({6})
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("sack-perm", None, help="let clients use selective acknowledgement"),
        Opt("timestamp", None, help="let clients use timestamps (the other options need them)"),
        Opt("wscale", uint(32), metavar="value", help="window scale of the server"),
        Opt("mss", uint(32), metavar="value", help="maximum segment size of the server"),
        Opt("ecn", None, help="let clients use congestion notification"),
    )

    flags: tuple[str, ...] = ()
    wscale: int | None = None
    mss: int | None = None

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        # the kernel's fields have 8 and 16 bits; what is too big is cut without a word
        wscale, mss = given.get("wscale"), given.get("mss")
        return cls(
            tuple(flag for flag in FLAGS if flag in given),
            wscale.value & 0xFF if wscale else None,
            mss.value & 0xFFFF if mss else None,
        )

    def _words(self) -> list[str]:
        out: list[str] = [flag for flag in FLAGS[:2] if flag in self.flags]
        out += [f"{name} {value}" for name, value in (("wscale", self.wscale), ("mss", self.mss)) if value is not None]
        return out + (["ecn"] if "ecn" in self.flags else [])

    def save(self, base: Base) -> str:
        return "".join(f" --{word}" for word in self._words())

    def listing(self, numeric: bool, base: Base) -> str:
        return " SYNPROXY " + "".join(f"{word} " for word in self._words())

    def translate(self, base: Base) -> str:
        return "synproxy " + "".join(f"{word} " for word in self._words())

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Outcome:
            segment = pkt.transport(20)
            if segment is None or not transport_checksum_good(pkt):
                return Verdict.DROP
            if not 20 <= (segment[12] >> 4) * 4 <= len(segment):
                return Verdict.DROP
            flags = segment[13] & (FIN | SYN | RST | ACK)
            return Verdict.UNKNOWN if flags in (SYN, ACK) else Flow.CONTINUE

        return act


EXTENSIONS = (SynProxy,)
