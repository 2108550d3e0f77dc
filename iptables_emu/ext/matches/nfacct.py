"""nfacct: count in an accounting object (kernel: xt_nfacct.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import save_string, string

_name = string(low=1, size=32)


def _object(text: str, cx: OptionContext) -> str:
    name: str = _name(text, cx)
    if "\n" in text:
        raise ParameterProblem("Newlines not allowed in --nfacct-name")
    return name


if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Nfacct(Match):
    """Counts and matches; an object with a quota matches only what goes beyond it. The kernel refuses a rule about an
    object that is not there."""

    NAME: ClassVar[str] = "nfacct"
    MISSING: ClassVar[str] = ": give the object as [nfacct.NAME] of the host, with its packets, bytes and quota"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("nfacct-name", _object, mandatory=True, metavar="name", help="name of the accounting object"),
    )

    name: str

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["nfacct-name"].value)

    def save(self, base: Base) -> str:
        return f" --nfacct-name {save_string(self.name)}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" nfacct-name {save_string(self.name)}"

    def refused(self, place: Place) -> str | None:
        return None if place.accounts is None or self.name in place.accounts else "ENOENT"

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool | None:
            account = ctx.host.accounts.get(self.name)
            if account is None:
                return None
            account.packets += 1
            account.bytes += len(pkt.data)
            return account.over() is not False

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        account = ctx.host.accounts[self.name]
        return self.save(base).strip(), f"{account.packets} packets, {account.bytes} bytes: within the quota"


EXTENSIONS = (Nfacct,)
