"""ipvs: the packet's IPVS connection (kernel: xt_ipvs.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from iptables_emu.conntrack.tuples import IS_REPLY
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.model.address import BITS, show, show_mask
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Converter, OptionContext
from iptables_emu.options.types import host_mask, port, protocol_option

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.host.extras import IpvsConnection
    from iptables_emu.packet.packet import Packet

Test1 = tuple[str, Any, bool]  # option, value, inverted


def _word(*words: str) -> Converter:
    def convert(text: str, cx: OptionContext) -> str:
        if text.upper() not in words:
            raise ParameterProblem(f'ipvs: Bad value for "--{cx.name}" option: "{text}"')
        return text.upper()

    return convert


@dataclass(frozen=True, slots=True)
class Ipvs(Match):
    """``tests`` stand in the order they are saved; none of them means ``--ipvs`` alone. A packet belongs to
    IPVS when it is one of the connections that the host gives."""

    NAME: ClassVar[str] = "ipvs"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("ipvs", None, invert=True, help="the packet belongs to an IPVS connection"),
        Opt("vproto", protocol_option, invert=True, metavar="protocol", help="protocol of the virtual service"),
        Opt("vaddr", host_mask, invert=True, metavar="address[/mask]", help="its address"),
        Opt("vport", port, invert=True, metavar="port", help="its port"),
        Opt("vdir", _word("ORIGINAL", "REPLY"), metavar="ORIGINAL|REPLY", help="direction of the packet"),
        Opt("vmethod", _word("GATE", "IPIP", "MASQ"), invert=True, metavar="GATE|IPIP|MASQ", help="way it goes on"),
        Opt("vportctl", port, invert=True, metavar="port", help="port of the controlling connection"),
    )

    inverted: bool
    tests: tuple[Test1, ...]

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("IPVS: At least one option is required")
        if "ipvs" in given and given["ipvs"].inverted and len(given) > 1:
            raise ParameterProblem("! --ipvs cannot be together with other options")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        tests = tuple(
            (opt.name, given[opt.name].value, given[opt.name].inverted)
            for opt in cls.OPTIONS
            if opt.name in given and opt.name != "ipvs"
        )
        return cls("ipvs" in given and given["ipvs"].inverted, tests)

    def _text(self, prefix: str, numeric: bool, base: Base) -> str:
        if not self.tests:
            return f"{' !' if self.inverted else ''} {prefix}ipvs"
        out = ""
        for option, value, inverted in self.tests:
            if option == "vaddr":
                address, mask = value
                bits = show_mask(mask, base.family)
                shown = show(address, base.family) + (f"/{bits}" if bits != str(BITS[base.family]) else "")
                shown = "anywhere" if address == 0 and not numeric else shown
            else:
                shown = str(value)
            out += f"{' !' if inverted else ''} {prefix}{option} {shown}"
        return out

    def save(self, base: Base) -> str:
        return self._text("--", True, base)

    def listing(self, numeric: bool, base: Base) -> str:
        return self._text("", numeric, base)

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool:
            connection = _connection(pkt, ctx)
            if not self.tests or connection is None:
                return (connection is None) is self.inverted and (not self.tests or connection is not None)
            return all(_same(option, value, connection, pkt) is not inverted for option, value, inverted in self.tests)

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        connection = _connection(pkt, ctx)
        if connection is None:
            return self.save(base).strip(), "no IPVS connection"
        address, number = connection.virtual
        return self.save(base).strip(), f"a connection of {show(address, pkt.family)}:{number} by {connection.method}"


def _connection(pkt: Packet, ctx: Context) -> IpvsConnection | None:
    return next((one for one in ctx.host.ipvs if one.holds(pkt)), None)


def _same(option: str, value: Any, connection: IpvsConnection, pkt: Packet) -> bool:
    if option == "vaddr":
        return bool((connection.virtual[0] ^ value[0]) & value[1] == 0)
    if option == "vdir":
        return pkt.ct is not None and (pkt.ctinfo >= IS_REPLY) is (value == "REPLY")
    have: dict[str, object] = {"vproto": connection.proto, "vport": connection.virtual[1], "vmethod": connection.method,
            "vportctl": connection.control_port}  # fmt: skip
    return bool(have[option] == value)


EXTENSIONS = (Ipvs,)
