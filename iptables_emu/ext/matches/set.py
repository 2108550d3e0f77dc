"""set: whether an ipset holds the packet's addresses and ports (kernel: xt_set.c, revision 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.ext.sets import set_and_directions
from iptables_emu.host.ipset.element import Counters, Look
from iptables_emu.host.ipset.packets import View
from iptables_emu.options.numbers import strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

Counter = tuple[str, int]  # "eq", "ne", "lt" or "gt", and the number

_named_set = set_and_directions("--match-set requires two args.")


def _match_set(text: str, cx: OptionContext) -> tuple[str, tuple[str, ...]]:
    if cx.name == "set":
        cx.warnings.append("--set option deprecated, please use --match-set\n")
    named: tuple[str, tuple[str, ...]] = _named_set(text, cx)
    return named


def _counter(text: str, cx: OptionContext) -> Counter:
    value = strict(text)
    if value is None:
        raise ParameterProblem(f"Cannot parse {text} as a counter value")
    kind = cx.name[-2:]
    return ("ne" if kind == "eq" and cx.inverted else kind), value


def _counters(what: str) -> tuple[Opt, ...]:
    once = f"only one of the --{what}-[eq|lt|gt] is allowed"
    code = ord("5") if what == "packets" else ord("8")
    return tuple(
        Opt(f"{what}-{kind}", _counter, what, invert=kind == "eq", once=once, ident=ident, metavar="value",
            no_invert=f"--{what}-{kind} option cannot be inverted", help=f"the element's {what} counter is {meaning}")
        for kind, ident, meaning in (("eq", code, "value"), ("lt", code + 1, "less"),
                                     ("gt", code + 2 if what == "packets" else ord("0"), "more"))
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SetMatch(Match):
    """``dims`` are "src" and "dst". A set that the host does not have leaves it unknown."""

    NAME: ClassVar[str] = "set"
    MISSING: ClassVar[str] = ": give the set, with ipset or as ipsets of the host"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("match-set", _match_set, "match-set", invert=True, once="--match-set can be specified only once", ident=49,
            words=2, metavar="name src|dst[,...]", help="the set holds the packet"),
        Opt("set", _match_set, "match-set", invert=True, once="--match-set can be specified only once", ident=50,
            words=2),
        Opt("return-nomatch", None, multi=True, no_invert="--return-nomatch flag cannot be inverted", ident=51,
            help="match on an element marked nomatch"),
        Opt("update-counters", None, multi=True, invert=True, ident=52, help="inverted: leave the counters alone"),
        *_counters("packets"),
        *_counters("bytes"),
        Opt("update-subcounters", None, multi=True, invert=True, ident=ord("a"),
            help="inverted: leave the counters of a list's member alone"),
    )  # fmt: skip

    name: str
    dims: tuple[str, ...]
    inverted: bool = False
    return_nomatch: bool = False
    skip_counters: bool = False
    skip_subcounters: bool = False
    packets: Counter | None = None
    octets: Counter | None = None

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if "match-set" not in given:
            raise ParameterProblem("You must specify `--match-set' with proper arguments")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        name, dims = given["match-set"].value
        skip, skip_sub = (
            key in given and any(inverted for _, inverted in given[key].values)
            for key in ("update-counters", "update-subcounters")
        )
        packets, octets = given.get("packets"), given.get("bytes")
        return cls(
            name, dims, given["match-set"].inverted, "return-nomatch" in given, skip, skip_sub,
            packets.value if packets else None, octets.value if octets else None,
        )  # fmt: skip

    def _text(self, option: str, prefix: str) -> str:
        out = f"{' !' if self.inverted else ''} {option} {self.name} {','.join(self.dims)}"
        if self.return_nomatch:
            out += f" {prefix}return-nomatch"
        if self.skip_counters:
            out += f" ! {prefix}update-counters"
        if self.skip_subcounters:
            out += f" ! {prefix}update-subcounters"
        for what, counter in (("packets", self.packets), ("bytes", self.octets)):
            if counter is not None:
                kind, value = counter
                out += f" ! {prefix}{what}-eq {value}" if kind == "ne" else f" {prefix}{what}-{kind} {value}"
        return out

    def save(self, base: Base) -> str:
        return self._text("--match-set", "--")

    def listing(self, numeric: bool, base: Base) -> str:
        return self._text("match-set", "")

    @property
    def set_names(self) -> tuple[str, ...]:
        """The sets it holds a reference to."""
        return (self.name,)

    def compile(self, cx: Compile) -> Test:
        counters = Counters(self.packets, self.octets) if self.packets or self.octets else None

        def test(pkt: Packet, ctx: Context) -> bool | None:
            sets = ctx.host.ipsets
            sets.now = ctx.now
            found = sets.find(self.name)
            if found is None:
                return None
            look = Look(len(pkt.data), counters, self.return_nomatch, self.skip_counters, self.skip_subcounters)
            return sets.packet_test(found, View(pkt, self.dims, ctx.iif, ctx.oif), look) is not self.inverted

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        found = ctx.host.ipsets.find(self.name)
        if found is None:
            return None
        have = View(pkt, self.dims, ctx.iif, ctx.oif).told(found.kind)
        return f"-m set{self.save(base)}", f"{have} is {'' if self.inverted else 'not '}in {self.name}"


EXTENSIONS = (SetMatch,)
