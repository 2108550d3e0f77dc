"""TCPMSS: lower the MSS option of a TCP SYN, or add one (kernel: xt_TCPMSS.c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Place, Target, Verdict
from iptables_emu.ext.matches.tcp import Tcp
from iptables_emu.ext.tcp_options import MSS, steps
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Converter
from iptables_emu.options.types import uint
from iptables_emu.packet.packet import adjust_checksum

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

HEADER = {4: 20, 6: 40}
DEFAULT_MSS = {4: 536, 6: 1220}  # of a host that sends no MSS option
CLAMP_HOOKS = frozenset({"FORWARD", "OUTPUT", "POSTROUTING"})
SYN = 2


def _options(family: int) -> tuple[Opt, ...]:
    mss: Converter = uint(16, 0, 0xFFFF - HEADER[family])
    return (
        Opt("set-mss", mss, metavar="value", help="Lower the MSS option to the value"),
        Opt("clamp-mss-to-pmtu", help=f"Lower it to what the path's MTU allows (MTU - {HEADER[family] + 20})"),
    )


@dataclass(frozen=True, slots=True)
class _Tcpmss(Target):
    """``mss`` None clamps to the path MTU."""

    NAME: ClassVar[str] = "TCPMSS"
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({6})

    mss: int | None

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("TCPMSS target: At least one parameter is required")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        name, g = list(given.items())[-1]
        return cls(g.value if name == "set-mss" else None)

    def save(self, base: Base) -> str:
        return " --clamp-mss-to-pmtu" if self.mss is None else f" --set-mss {self.mss}"

    def listing(self, numeric: bool, base: Base) -> str:
        return " TCPMSS clamp to PMTU" if self.mss is None else f" TCPMSS set {self.mss}"

    def translate(self, base: Base) -> str:
        return f"tcp option maxseg size set {'rt mtu' if self.mss is None else self.mss}"

    def refused(self, place: Place) -> str | None:
        """Clamping wants a route; ip_tables wants a rule with --syn (nft does not look)."""
        if self.mss is None and not place.hooks <= CLAMP_HOOKS:
            return "EINVAL"
        if place.personality == "nft":
            return None
        syn = any(isinstance(m, Tcp) and m.flags[1] & SYN and not m.not_flags for m in place.matches)
        return None if syn else "EINVAL"

    def compile(self, cx: Compile) -> Action:
        wanted: Callable[[Packet, Context], int | None] = _clamped if self.mss is None else lambda pkt, ctx: self.mss

        def act(pkt: Packet, ctx: Context) -> Flow | Verdict:
            if pkt.frag_offset:
                return Flow.CONTINUE
            size = len(pkt.data) - pkt.l4
            if pkt.truncated or size < 20:
                return Verdict.DROP
            header = (pkt.data[pkt.l4 + 12] >> 4) * 4
            if not 20 <= header <= size:
                return Verdict.DROP
            mss = wanted(pkt, ctx)
            if mss is None:
                return Verdict.DROP
            pkt.pull(size)
            _lower(pkt, ctx, mss, header)
            return Flow.CONTINUE

        return act


def _clamped(pkt: Packet, ctx: Context) -> int | None:
    """What the smaller MTU of both directions leaves, or None when that is nothing."""
    mtus = [pkt.mtu] if pkt.mtu else []
    back = ctx.host.route_to(pkt.family, pkt.src)
    if back is not None:
        mtus.append(ctx.host.exceptions.mtu(back, "lo" if back.type == "local" else back.dev))
    room = min(mtus, default=0xFFFFFFFF) - HEADER[pkt.family] - 20
    return room & 0xFFFF if room > 0 else None


def _lower(pkt: Packet, ctx: Context, mss: int, header: int) -> None:
    segment = bytes(pkt.data[pkt.l4 :])
    for at, _ in steps(segment, header - 3):
        if segment[at] == MSS and segment[at + 1] == 4:
            before = int.from_bytes(segment[at + 2 : at + 4], "big")
            if before > mss:
                _set_word(pkt, at + 2, mss)
                ctx.rewrote(pkt, "mss", before, mss)
            return
    if len(segment) == header and header < 60:
        mss = min(mss, DEFAULT_MSS[pkt.family])
        _add(pkt, segment, mss)
        ctx.rewrote(pkt, "mss", "none", mss)


def _set_word(pkt: Packet, at: int, value: int) -> None:
    """Set two bytes anywhere in the header; the checksum takes them as one word, as inet_proto_csum_replace2."""
    start = pkt.l4 + at
    old, new = bytes(pkt.data[start : start + 2]), value.to_bytes(2, "big")
    pkt.data[start : start + 2] = new
    pkt.adjust_transport_checksum(old, new)
    pkt.refresh()


def _add(pkt: Packet, segment: bytes, mss: int) -> None:
    """Put an MSS option before the others."""
    option = bytes((MSS, 4)) + mss.to_bytes(2, "big")
    size, check = len(segment), int.from_bytes(segment[16:18], "big")
    word = bytes((segment[12] + 0x10, segment[13]))
    check = adjust_checksum(check, size.to_bytes(2, "big"), (size + 4).to_bytes(2, "big"))
    check = adjust_checksum(check, bytes(4), option)
    check = adjust_checksum(check, segment[12:14], word)
    head = bytearray(pkt.data[: pkt.l4])
    at = 2 if pkt.family == 4 else 4
    head[at : at + 2] = (int.from_bytes(head[at : at + 2], "big") + 4).to_bytes(2, "big")
    tcp = segment[:12] + word + segment[14:16] + check.to_bytes(2, "big") + segment[18:20] + option + segment[20:]
    pkt.replace(bytes(head) + tcp)
    pkt.refresh_ip_checksum()


@dataclass(frozen=True, slots=True)
class Tcpmss4(_Tcpmss):
    """For IPv4."""

    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    OPTIONS: ClassVar[Sequence[Opt]] = _options(4)


@dataclass(frozen=True, slots=True)
class Tcpmss6(_Tcpmss):
    """For IPv6."""

    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[Sequence[Opt]] = _options(6)


EXTENSIONS = (Tcpmss4, Tcpmss6)
