"""physdev: the bridge ports of a bridged packet (kernel: xt_physdev.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import blen

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


def _port(text: str, cx: OptionContext) -> str:
    if blen(text) > 15:
        raise ParameterProblem(f"interface name `{text}' must be shorter than IFNAMSIZ (15)")
    if "/" in text or " " in text:
        cx.warnings.append(
            f"Warning: weird character in interface `{text}' ('/' and ' ' are not allowed by the kernel).\n"
        )
    return text


@dataclass(frozen=True, slots=True)
class Physdev(Match):
    """Each test is None when not asked, else whether it is inverted. Of a packet that did not come by a bridge only
    inverted tests hold; that it will leave by a port is known of bridged ones alone."""

    NAME: ClassVar[str] = "physdev"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("physdev-in", _port, invert=True, metavar="name[+]", help="port the packet came in by"),
        Opt("physdev-out", _port, invert=True, metavar="name[+]", help="port the packet will leave by"),
        Opt("physdev-is-in", None, invert=True, help="came in by a bridge"),
        Opt("physdev-is-out", None, invert=True, help="will leave by a bridge"),
        Opt("physdev-is-bridged", None, invert=True, help="is bridged, not routed"),
    )

    port_in: str = ""
    not_in: bool | None = None
    port_out: str = ""
    not_out: bool | None = None
    not_is_in: bool | None = None
    not_is_out: bool | None = None
    not_bridged: bool | None = None

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("PHYSDEV: no physdev option specified")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        into, out = given.get("physdev-in"), given.get("physdev-out")
        flags = (given.get(f"physdev-is-{what}") for what in ("in", "out", "bridged"))
        return cls(
            into.value if into else "", into.inverted if into else None,
            out.value if out else "", out.inverted if out else None,
            *(flag.inverted if flag else None for flag in flags),
        )  # fmt: skip

    def _tests(self) -> list[tuple[str, bool]]:
        rows = (
            ("--physdev-is-in", self.not_is_in),
            (f"--physdev-in {self.port_in}", self.not_in),
            ("--physdev-is-out", self.not_is_out),
            (f"--physdev-out {self.port_out}", self.not_out),
            ("--physdev-is-bridged", self.not_bridged),
        )
        return [(text, inverted) for text, inverted in rows if inverted is not None]

    def save(self, base: Base) -> str:
        return "".join(f"{' !' if inverted else ''} {text}" for text, inverted in self._tests())

    def listing(self, numeric: bool, base: Base) -> str:
        return " PHYSDEV match" + self.save(base)

    def refused(self, place: Place) -> str | None:
        asks_out = self.not_out is not None or self.not_is_out is not None
        # when OUTPUT is run nobody knows yet that a bridge will be the way out
        return "EINVAL" if asks_out and self.not_bridged is not False and "OUTPUT" in place.hooks else None

    def compile(self, cx: Compile) -> Test:
        return lambda pkt, ctx: self._holds(pkt)

    def _holds(self, pkt: Packet) -> bool:
        if not pkt.physin and not pkt.physout:
            return all(inverted for _, inverted in self._tests())
        flags = ((self.not_bridged, pkt.physout), (self.not_is_in, pkt.physin), (self.not_is_out, pkt.physout))
        if any(inverted is not None and bool(port) is inverted for inverted, port in flags):
            return False
        if self.not_in is not None and pkt.physin and _is(pkt.physin, self.port_in) is self.not_in:
            return False
        if self.not_out is None:
            return True
        return bool(pkt.physout) and _is(pkt.physout, self.port_out) is not self.not_out

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        ports = [f"{word} {port}" for word, port in (("in by", pkt.physin), ("out by", pkt.physout)) if port]
        return self.save(base).strip(), " ".join(ports) or "the packet came by no bridge"


def _is(port: str, wanted: str) -> bool:
    return port.startswith(wanted[:-1]) if wanted.endswith("+") else port == wanted


EXTENSIONS = (Physdev,)
