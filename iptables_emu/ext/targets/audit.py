"""AUDIT: a record for the audit daemon (kernel: xt_AUDIT.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

TYPES: Final = ("accept", "drop", "reject")


def _type(text: str, cx: OptionContext) -> str:
    word = text.lower()
    if word not in TYPES:
        raise ParameterProblem(f'Bad action type value "{text}"')
    return word


@dataclass(frozen=True, slots=True)
class Audit(Target):
    """The packet goes on; no record is shown, as the kernel makes none while auditing is off."""

    NAME: ClassVar[str] = "AUDIT"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("type", _type, mandatory=True, metavar="{accept|drop|reject}", help="what the record says of the packet"),
    )

    action: str

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["type"].value)

    def save(self, base: Base) -> str:
        return f" --type {self.action}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" AUDIT {self.action}"

    def translate(self, base: Base) -> str:
        return "log level audit"

    def compile(self, cx: Compile) -> Action:
        return lambda pkt, ctx: Flow.CONTINUE


EXTENSIONS = (Audit,)
