"""SECMARK: label a packet for a security module (kernel: xt_SECMARK.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.types import string

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


SIZE = 256  # SECMARK_SECCTX_MAX, with the final NUL


@dataclass(frozen=True, slots=True)
class SecMark(Target):
    """The packet goes on: no rule can look at a security mark. Any context is taken for good, as by a host whose
    security module knows it."""

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
        def act(pkt: Packet, ctx: Context) -> Flow:
            before, pkt.secmark = pkt.secmark, self.context
            ctx.rewrote(pkt, "secmark", before or "none", pkt.secmark)
            return Flow.CONTINUE

        return act


EXTENSIONS = (SecMark,)
