"""devgroup: the group of the packet's interfaces (kernel: xt_devgroup.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.ext.valmask import GROUPS, show_val_mask, val_mask
from iptables_emu.options.problem import ParameterProblem

INPUT_SIDE = frozenset({"PREROUTING", "INPUT", "FORWARD"})
OUTPUT_SIDE = frozenset({"FORWARD", "OUTPUT", "POSTROUTING"})

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Devgroup(Match):
    """Each side is (value, mask), None when not asked."""

    NAME: ClassVar[str] = "devgroup"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("src-group", val_mask(GROUPS), invert=True, metavar="value[/mask]", help="group of the input interface"),
        Opt("dst-group", val_mask(GROUPS), invert=True, metavar="value[/mask]", help="group of the output interface"),
    )

    source: tuple[int, int] | None = None
    not_source: bool = False
    destination: tuple[int, int] | None = None
    not_destination: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("devgroup match: You must specify either '--src-group' or '--dst-group'")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        source, destination = given.get("src-group"), given.get("dst-group")
        return cls(
            source.value if source else None, bool(source and source.inverted),
            destination.value if destination else None, bool(destination and destination.inverted),
        )  # fmt: skip

    def _sides(self) -> list[tuple[str, str, tuple[int, int], bool]]:
        rows = (
            ("src-group", "iif", self.source, self.not_source),
            ("dst-group", "oif", self.destination, self.not_destination),
        )
        return [(option, field, group, inverted) for option, field, group, inverted in rows if group is not None]

    def save(self, base: Base) -> str:
        return "".join(
            f"{' !' if inverted else ''} --{option}{show_val_mask(*group, GROUPS)}"
            for option, _, group, inverted in self._sides()
        )

    def listing(self, numeric: bool, base: Base) -> str:
        return "".join(
            f"{' !' if inverted else ''} {option}{show_val_mask(*group, None if numeric else GROUPS)}"
            for option, _, group, inverted in self._sides()
        )

    def translate(self, base: Base) -> str:
        """An inverted source group inverts the destination's too, as upstream has it."""
        out, sign = [], False
        for option, _, (value, mask), inverted in self._sides():
            sign = sign or inverted
            name = next((name for name, number in GROUPS.items() if number == value), "")
            out.append(f"{'i' if option == 'src-group' else 'o'}ifgroup {nft.masked(value, mask, sign, name)}")
        return " ".join(out)

    def refused(self, place: Place) -> str | None:
        if self.source is not None and not place.hooks <= INPUT_SIDE:
            return "EINVAL"
        if self.destination is not None and not place.hooks <= OUTPUT_SIDE:
            return "EINVAL"
        return None

    def compile(self, cx: Compile) -> Test:
        return lambda pkt, ctx: self._failing(ctx) is None

    def _failing(self, ctx: Context) -> tuple[str, str] | None:
        """The first side that does not hold as it is written, and the interface's group."""
        for option, side, (value, mask), inverted in self._sides():
            interface = ctx.host.interfaces.get(getattr(ctx, side))
            if interface is None or ((interface.group ^ value) & mask == 0) is inverted:
                label = f"{'! ' if inverted else ''}--{option}{show_val_mask(value, mask, GROUPS)}"
                return label, f"{interface.name} is in group {interface.group}" if interface else "no interface"
        return None

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        return self._failing(ctx)


EXTENSIONS = (Devgroup,)
