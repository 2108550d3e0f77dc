"""policy: what IPsec does or has done to the packet (kernel: xt_policy.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.model.address import BITS, show, show_mask
from iptables_emu.options.names import protocol_name
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Converter, OptionContext
from iptables_emu.options.types import host_mask, protocol_option, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.host.extras import IpsecState
    from iptables_emu.packet.packet import Packet

MOST = 4  # XT_POLICY_MAX_ELEM
ELEMENT_KEYS = ("reqid", "spi", "proto", "mode", "tunnel-dst", "tunnel-src")  # in the order they are saved
PROTOCOLS = (50, 51, 108)

Element = tuple[tuple[str, Any, bool], ...]  # (option, value, inverted), in the order of ELEMENT_KEYS

_TOO_DEEP = "policy match: maximum policy depth reached"


def _word(words: Sequence[str], message: str) -> Converter:
    def convert(text: str, cx: OptionContext) -> str:
        if text not in words:
            raise ParameterProblem(f'{message} "{text}"')
        return text

    return convert


def _at(cx: OptionContext) -> int:
    """The number of the element that is being described."""
    return len(cx.given["next"].values) if "next" in cx.given else 0


def _element(read: Converter) -> Converter:
    """-> (number of the element, value); twice in one element is an error."""

    def convert(text: str, cx: OptionContext) -> tuple[int, Any]:
        at = _at(cx)
        value = None if cx.name == "mode" else read(text, cx)
        before = cx.given.get(cx.name)
        if before is not None and any(number == at for (number, _), _ in before.values):
            raise ParameterProblem(f"policy match: double --{cx.name} option")
        if cx.name == "proto" and value not in PROTOCOLS:
            raise ParameterProblem("policy match: protocol must be ah/esp/ipcomp")
        return at, read(text, cx) if cx.name == "mode" else value

    return convert


def _next(text: str, cx: OptionContext) -> bool:
    if _at(cx) + 1 == MOST:
        raise ParameterProblem(_TOO_DEEP)
    return True


def _row(name: str, read: Converter, ident: int, metavar: str, help_text: str) -> Opt:
    return Opt(name, _element(read), multi=True, invert=True, ident=ident, metavar=metavar, help=help_text)


@dataclass(frozen=True, slots=True)
class Policy(Match):
    """``direction`` "in" or "out"; ``none`` matches packets without IPsec. The host says which
    states packets come and go by; the others go without."""

    NAME: ClassVar[str] = "policy"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("dir", _word(("in", "out"), "policy_match: invalid dir"), ident=0, metavar="in|out",
            help="the policy of decapsulation or of encapsulation"),
        Opt("pol", _word(("none", "ipsec"), "policy match: invalid policy"), ident=1, metavar="none|ipsec",
            help="whether there is one"),
        Opt("strict", None, ident=2, help="the whole policy must be as described, not one element of it"),
        _row("reqid", uint(32), 3, "id", "the element's reqid"),
        _row("spi", uint(32), 4, "spi", "the SPI of its state"),
        _row("tunnel-src", host_mask, 7, "address[/mask]", "the tunnel's source"),
        _row("tunnel-dst", host_mask, 8, "address[/mask]", "the tunnel's destination"),
        _row("proto", protocol_option, 5, "protocol", "ah, esp or ipcomp"),
        _row("mode", _word(("transport", "tunnel"), "policy match: invalid mode"), 6, "mode", "transport or tunnel"),
        Opt("next", _next, multi=True, also=("strict",), bare=True, words=0, ident=9, help="the next element begins"),
    )  # fmt: skip

    direction: str
    none: bool
    strict: bool
    elements: tuple[Element, ...]

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if "dir" not in given:
            raise ParameterProblem("policy match: neither --dir in nor --dir out specified")
        policy = cls.parse(given, base)
        if policy.none:
            if policy.strict:
                raise ParameterProblem("policy match: policy none but --strict given")
            if "next" in given:
                raise ParameterProblem("policy match: policy none but policy given")
            return
        for number, element in enumerate(policy.elements):
            if policy.strict and not element:
                raise ParameterProblem(
                    f"policy match: empty policy element {number}. --strict is in effect, but at least one of "
                    "reqid, spi, tunnel-src, tunnel-dst, proto or mode is required."
                )
            mode, inverted = next(((value, no) for key, value, no in element if key == "mode"), ("transport", False))
            if any(key.startswith("tunnel-") for key, _, _ in element) and (mode == "tunnel") is inverted:
                raise ParameterProblem("policy match: --tunnel-src/--tunnel-dst is only valid in tunnel mode")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        count = 1 + (len(given["next"].values) if "next" in given else 0)
        elements: list[list[tuple[str, Any, bool]]] = [[] for _ in range(count)]
        for key in ELEMENT_KEYS:
            for (number, value), inverted in given[key].values if key in given else ():
                elements[number].append((key, value, inverted))
        none = "pol" in given and given["pol"].value == "none"
        return cls(given["dir"].value, none, "strict" in given, tuple(map(tuple, elements)))

    def _head(self, prefix: str) -> str:
        strict = f" {prefix}strict" if self.strict else ""
        return f" {prefix}dir {self.direction} {prefix}pol {'none' if self.none else 'ipsec'}{strict}"

    def save(self, base: Base) -> str:
        elements = () if self.none else self.elements
        return self._head("--") + " --next".join(_show_element(e, "--", False, base) for e in elements)

    def listing(self, numeric: bool, base: Base) -> str:
        out = " policy match" + self._head("")
        for number, element in enumerate(() if self.none else self.elements):
            out += f" [{number}]" if len(self.elements) > 1 else ""
            out += _show_element(element, "", numeric, base)
        return out

    def translate(self, base: Base) -> str | None:
        if self.direction != "in" or len(self.elements) > 1 or any(self.elements):
            return None
        return f"meta secpath {'missing' if self.none else 'exists'}"

    def refused(self, place: Place) -> str | None:
        wrong = {"out": {"PREROUTING", "INPUT"}, "in": {"POSTROUTING", "OUTPUT"}}[self.direction]
        return "EINVAL" if place.hooks & wrong else None

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool:
            states = self._states(pkt, ctx)
            return self.none if not states else not self.none and self._holds(states)

        return test

    def _states(self, pkt: Packet, ctx: Context) -> Sequence[IpsecState]:
        """The states of the packet, as they are counted: the last one undone first (xt_policy.c)."""
        ways = (way for way in ctx.host.ipsec if way.dir == self.direction and way.selector.selects(pkt))
        states = next((way.states for way in ways), ())
        return states[::-1] if self.direction == "in" else states

    def _holds(self, states: Sequence[IpsecState]) -> bool:
        if not self.strict:
            return any(_fits(self.elements[0], state) for state in states)
        whole = len(states) == len(self.elements)
        return whole and all(map(_fits, self.elements, states))

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        states = self._states(pkt, ctx)
        return self.save(base).strip(), " ".join(_told(state) for state in states) or "no IPsec policy"


def _fits(element: Element, state: IpsecState) -> bool:
    """Whether a state is as an element describes it."""
    have: dict[str, Any] = {"reqid": state.reqid, "spi": state.spi, "proto": state.proto, "mode": state.mode}
    ends = {"tunnel-src": state.tunnel_src, "tunnel-dst": state.tunnel_dst}
    for key, value, inverted in element:
        same = ends[key] & value[1] == value[0] & value[1] if key in ends else have[key] == value
        if same is inverted:
            return False
    return True


def _told(state: IpsecState) -> str:
    return f"{protocol_name(state.proto, True)} {state.mode} spi 0x{state.spi:x} reqid {state.reqid}"


def _show_element(element: Element, prefix: str, numeric: bool, base: Base) -> str:
    out = ""
    for key, value, inverted in element:
        if key == "spi":
            shown = f"0x{value:x}"
        elif key == "proto":
            shown = str(value) if numeric else protocol_name(value, True) or str(value)
        elif key.startswith("tunnel-"):
            address, mask = value
            bits = show_mask(mask, base.family)
            shown = show(address, base.family) + (f"/{bits}" if bits != str(BITS[base.family]) else "")
        else:
            shown = str(value)
        out += f"{' !' if inverted else ''} {prefix}{key} {shown}"
    return out


EXTENSIONS = (Policy,)
