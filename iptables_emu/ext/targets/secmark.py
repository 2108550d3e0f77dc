"""SECMARK: label a packet for a security module (kernel: xt_SECMARK.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.types import string

SIZE = 256  # SECMARK_SECCTX_MAX, with the final NUL


@dataclass(frozen=True, slots=True)
class SecMark(Target):
    """The packet goes on: no rule can look at a security mark, so it is not kept. Any context is taken for good."""

    NAME: ClassVar[str] = "SECMARK"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle", "security"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("selctx", string(size=SIZE), mandatory=True, metavar="context", help="SELinux context of the packet"),
    )

    context: str

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["selctx"].value)

    def save(self, base: Base) -> str:
        return f" --selctx {self.context}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" SECMARK selctx {self.context}"

    def compile(self, cx: Compile) -> Action:
        return lambda pkt, ctx: Flow.CONTINUE


EXTENSIONS = (SecMark,)
