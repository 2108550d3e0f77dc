"""SYNPROXY: answer SYNs with cookies in a server's stead (kernel: ipt_SYNPROXY.c, nf_synproxy_core.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Outcome, Target, Verdict
from iptables_emu.options.numbers import U32
from iptables_emu.options.types import uint
from iptables_emu.packet.headers import tcp
from iptables_emu.packet.packet import transport_checksum_good
from iptables_emu.packet.tcp_options import MSS, NOP, SACK, TIMESTAMP, WSCALE, option_values

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

FLAGS: Final = ("sack-perm", "timestamp", "ecn")
FIN, SYN, RST, ACK, ECE, CWR = 1, 2, 4, 16, 64, 128


@dataclass(frozen=True, slots=True)
class SynProxy(Target):
    """An opening SYN is answered in the server's stead, with a cookie; an ACK that does not bring one back is dropped.
    The handshake with the server, after an ACK that does, is not played: that packet is unknown."""

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
        cookies: set[tuple[int, int, bytes, int]] = cx.shared.setdefault(("SYNPROXY", "cookies"), set())

        def act(pkt: Packet, ctx: Context) -> Outcome:
            segment = pkt.transport(20)
            if segment is None or not transport_checksum_good(pkt):
                return Verdict.DROP
            if not 20 <= (segment[12] >> 4) * 4 <= len(segment):
                return Verdict.DROP
            flags = segment[13] & (FIN | SYN | RST | ACK)
            if flags == SYN:
                cookie = ctx.rng.getrandbits(32)
                cookies.add((pkt.src, pkt.dst, segment[:4], cookie))
                ctx.path.send_answer(self._syn_ack(pkt, segment, cookie, ctx.now), pkt)
                return Verdict.STOLEN
            if flags != ACK:
                return Flow.CONTINUE
            cookie = int.from_bytes(segment[8:12], "big") - 1 & U32
            if (pkt.src, pkt.dst, segment[:4], cookie) not in cookies:
                return Verdict.DROP
            ctx.note(pkt, "SYNPROXY now opens the connection to the server: that is not played here")
            return Verdict.UNKNOWN

        return act

    def _syn_ack(self, pkt: Packet, syn: bytes, cookie: int, now: int) -> bytes:
        """The answer to a SYN: of its options those that the rule lets pass (synproxy_send_client_synack)."""
        asked = option_values(syn)
        ecn = "ecn" in self.flags and syn[13] & (ECE | CWR) == ECE | CWR
        stamped = "timestamp" in self.flags and TIMESTAMP in asked
        sack = stamped and "sack-perm" in self.flags and SACK in asked
        scaled = stamped and self.wscale is not None and WSCALE in asked
        out = bytes((MSS, 4)) + self.mss.to_bytes(2, "big") if self.mss is not None and MSS in asked else b""
        if stamped:
            # the clock's lowest bits carry what the ACK must bring back
            value = now // 1_000_000 & U32 & ~0x3F | (min(asked[WSCALE][0], 14) if scaled else 15)
            value |= (0x10 if sack else 0) | (0x20 if ecn else 0)
            out += bytes((SACK, 2) if sack else (NOP, NOP)) + bytes((TIMESTAMP, 10))
            out += value.to_bytes(4, "big") + asked[TIMESTAMP][:4]
        out += bytes((NOP, WSCALE, 3, self.wscale)) if scaled and self.wscale is not None else b""
        flags = SYN | ACK | (ECE if ecn and stamped else 0)
        seq = int.from_bytes(syn[4:8], "big") + 1 & U32
        return tcp(pkt.family, pkt.dst, pkt.src, syn[2:4] + syn[:2], cookie, seq, flags, 0, out)


EXTENSIONS = (SynProxy,)
