"""CT: say how conntrack shall treat the packet that it is about to see (kernel: xt_CT.c, revision 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.conntrack.table import Conn, CtTemplate
from iptables_emu.conntrack.tuples import NEW
from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Place, Target
from iptables_emu.ext.targets.notrack import untrack
from iptables_emu.options.numbers import U16, strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import string

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

# IPCT_* by the number of the bit
CT_EVENTS = ("new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "natseqinfo", "secmark")
EXP_EVENTS = ("new",)
TCP, UDP = 6, 17
# the kernel's helpers: (families, protocols) of each
HELPERS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "ftp": ((4, 6), (TCP,)),
    "tftp": ((4, 6), (UDP,)),
    "sip": ((4, 6), (TCP, UDP)),
    "sane": ((4, 6), (TCP,)),
    "amanda": ((4, 6), (UDP,)),
    "irc": ((4,), (TCP,)),
    "pptp": ((4,), (TCP,)),
    "netbios-ns": ((4,), (UDP,)),
    "snmp": ((4,), (UDP,)),
    "snmp_trap": ((4,), (UDP,)),
    "H.245": ((4, 6), (UDP,)),
    "Q.931": ((4, 6), (TCP,)),
    "RAS": ((4, 6), (UDP,)),
}
MARK = -1  # the zone that is the packet's mark


def _zone(text: str, cx: OptionContext) -> int:
    if text.lower() == "mark":
        return MARK
    value = strict(text, 0, U16)
    if value is None:
        raise ParameterProblem(f"Cannot parse {text} as a zone ID")
    return value


def _events(table: tuple[str, ...], text: str) -> int:
    out = 0
    for word in text.split(","):
        if word not in table:
            raise ParameterProblem(f'Unknown event type "{word}"')
        out |= 1 << table.index(word)
    return out


def _ct_events(text: str, cx: OptionContext) -> int:
    return _events(CT_EVENTS, text)


def _exp_events(text: str, cx: OptionContext) -> int:
    return _events(EXP_EVENTS, text)


def _names(table: tuple[str, ...], bits: int) -> str:
    return ",".join(name for i, name in enumerate(table) if bits >> i & 1)


@dataclass(frozen=True, slots=True)
class Ct(Target):
    """``zone`` 0 is the default zone; ``by_mark`` takes the packet's mark; the directions say where it counts."""

    NAME: ClassVar[str] = "CT"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"raw"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("notrack", help="Do not track the connection", ident=0),
        Opt("helper", string(size=16), metavar="name", help="Use this helper for the connection", ident=1),
        Opt("timeout", string(size=32), metavar="name", help="Use this timeout policy", ident=2),
        Opt("ctevents", _ct_events, metavar="event[,event...]", help="Connection events to report", ident=3),
        Opt("expevents", _exp_events, metavar="event[,event...]", help="Expectation events to report", ident=4),
        Opt("zone-orig", _zone, metavar="{ID|mark}", help="Zone of the original direction", ident=6),
        Opt("zone-reply", _zone, metavar="{ID|mark}", help="Zone of the reply direction", ident=7),
        Opt("zone", _zone, metavar="{ID|mark}", help="Zone of the connection", ident=5),
    )

    notrack: bool = False
    helper: str = ""
    timeout: str = ""
    ct_events: int = 0
    exp_events: int = 0
    zone: int = 0
    by_mark: bool = False
    original: bool = False
    reply: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        def of(name: str, default: int | str) -> int | str:
            return given[name].value if name in given else default

        zones = [g.value for name, g in given.items() if name.startswith("zone")]
        return cls(
            notrack="notrack" in given,
            helper=str(of("helper", "")),
            timeout=str(of("timeout", "")),
            ct_events=int(of("ctevents", 0)),
            exp_events=int(of("expevents", 0)),
            zone=max(zones[-1], 0) if zones else 0,
            by_mark=MARK in zones,
            original="zone-orig" in given,
            reply="zone-reply" in given,
        )

    @property
    def direction(self) -> str:
        """The direction to which the zone is limited: "orig", "reply" or "" for both."""
        if self.original == self.reply:
            return ""
        return "orig" if self.original else "reply"

    def _text(self, dash: str) -> str:
        out = f" {dash}notrack" if self.notrack else ""
        out += f" {dash}helper {self.helper}" if self.helper else ""
        out += f" {dash}timeout {self.timeout}" if self.timeout else ""
        out += f" {dash}ctevents {_names(CT_EVENTS, self.ct_events)}" if self.ct_events else ""
        out += f" {dash}expevents {_names(EXP_EVENTS, self.exp_events)}" if self.exp_events else ""
        if self.by_mark or self.zone:
            suffix = f"-{self.direction}" if self.direction else ""
            out += f" {dash}zone{suffix} {'mark' if self.by_mark else self.zone}"
        return out

    def save(self, base: Base) -> str:
        return self._text("--")

    def listing(self, numeric: bool, base: Base) -> str:
        return f" CT{self._text('')}"

    def translate(self, base: Base) -> str | None:
        return "notrack" if self.notrack else None

    @property
    def NEEDS_CONNTRACK(self) -> bool:  # type: ignore[override]  # a class attribute of the others
        """--notrack does not ask for conntrack."""
        return not self.notrack

    def refused(self, place: Place) -> str | None:
        if self.notrack:
            return None
        proto = 0 if place.base.proto_inverted else place.base.proto
        if self.helper:
            families, protocols = HELPERS.get(self.helper, ((), ()))
            if place.family not in families or proto not in protocols:
                return "ENOENT"
        if self.timeout:  # no timeout policy can exist here: they are made by nfct
            return "ENOENT" if proto else "EINVAL"
        return None

    def compile(self, cx: Compile) -> Action:
        if self.notrack:
            return untrack

        events = self.ct_events, self.exp_events
        template = Conn.of_template(CtTemplate(self.zone, self.direction, self.helper, self.by_mark, *events))

        def act(pkt: Packet, ctx: Context) -> Flow:
            if pkt.ct is None and not pkt.untracked and not pkt.related_to_untracked:
                pkt.ct, pkt.ctinfo = template, NEW
            return Flow.CONTINUE

        return act


EXTENSIONS = (Ct,)
