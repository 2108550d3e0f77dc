"""tos: the TOS or traffic class byte under a mask (kernel: xt_dscp.c, tos_mt)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.api import Base, Opt, Region
from iptables_emu.ext.masked_match import MaskedMatch
from iptables_emu.ext.region import masked
from iptables_emu.options.types import TOS_NAMES, tos_mask

NAME_MASK = 0x3F  # that of a name


@dataclass(frozen=True, slots=True)
class Tos(MaskedMatch):
    """``byte & mask == value``."""

    NAME: ClassVar[str] = "tos"
    OPTION: ClassVar[str] = "tos"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("tos", tos_mask(NAME_MASK), invert=True, mandatory=True, ident=1, metavar="value[/mask]",
            help="the TOS byte, as a number with an optional mask or by name: " + ", ".join(n for n, _ in TOS_NAMES)),
    )  # fmt: skip

    def shown(self) -> str:
        return f" 0x{self.value:02x}/0x{self.mask:02x}"

    def listing(self, numeric: bool, base: Base) -> str:
        name = next((n for n, value in TOS_NAMES if value == self.value), None)
        out = f" tos match{'!' if self.inverted else ''}"
        if numeric or name is None or self.mask != NAME_MASK:
            return f"{out}0x{self.value:02x}/0x{self.mask:02x}"
        return f"{out} {name}"

    def region(self, base: Base) -> Region:
        return Region(((masked("tos", self.value, self.mask, self.inverted, self.save(base).strip()),),))


EXTENSIONS = (Tos,)
