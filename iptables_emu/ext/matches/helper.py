"""helper: the conntrack helper whose expectation made the connection (kernel: xt_helper.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.options.types import save_string, string

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

SIZE = 30  # of xt_helper_info.name, with the final NUL


@dataclass(frozen=True, slots=True)
class Helper(Match):
    """``name`` "" is any helper. Two of them are equal whatever they say: libxtables gives no userspacesize, so
    nothing of it is compared."""

    NAME: ClassVar[str] = "helper"
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("helper", string(size=SIZE), invert=True, mandatory=True, metavar="name",
            help="name of the helper, such as ftp or ftp-2121"),
    )  # fmt: skip

    name: str = field(compare=False)
    inverted: bool = field(default=False, compare=False)

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["helper"].value, given["helper"].inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --helper{save_string(self.name)}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f' helper match {"! " if self.inverted else ""}"{self.name}"'

    def translate(self, base: Base) -> str:
        return f'ct helper {nft.unless(self.inverted)}"{self.name}"'

    def compile(self, cx: Compile) -> Test:
        name, inverted = self.name, self.inverted

        def test(pkt: Packet, ctx: Context) -> bool:
            helper = _helper_of(pkt)
            # the helper's name has to be a beginning of ours: "ftp" for ftp-2121
            return (bool(helper) and (not name or name.startswith(helper))) is not inverted

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        return self.save(base).strip(), f"helper {_helper_of(pkt) or 'none'}"


def _helper_of(pkt: Packet) -> str:
    return pkt.ct.master.helper if pkt.ct is not None and pkt.ct.master is not None else ""


EXTENSIONS = (Helper,)
