"""nfacct: count in an accounting object (kernel: xt_nfacct.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext.api import Base, Gathered, Match, Opt, Place
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import save_string, string

_name = string(low=1, size=32)


def _object(text: str, cx: OptionContext) -> str:
    name: str = _name(text, cx)
    if "\n" in text:
        raise ParameterProblem("Newlines not allowed in --nfacct-name")
    return name


@dataclass(frozen=True, slots=True)
class Nfacct(Match):
    """There is no command here that makes accounting objects, so the kernel knows none and refuses the rule."""

    NAME: ClassVar[str] = "nfacct"
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
        return "ENOENT"


EXTENSIONS = (Nfacct,)
