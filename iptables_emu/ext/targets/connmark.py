"""CONNMARK: change the connection's mark, or copy it from and to the packet (kernel: xt_connmark.c, revision 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.conntrack.record import IPCT_MARK
from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Place, Target
from iptables_emu.options.numbers import U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import mark_mask, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

FROM = {"save": "mark", "restore": "ct mark"}  # what is copied, in nft's words
OPERATIONS = ("set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark", "save-mark", "restore-mark")
_ids = {"set-mark": 0, "save-mark": 1, "restore-mark": 2, "and-mark": 3, "or-mark": 4, "xor-mark": 5, "set-xmark": 8}


def _operation(name: str, help: str, metavar: str = "") -> Opt:
    convert = mark_mask if name in ("set-xmark", "set-mark") else uint(32) if metavar else None
    others = tuple(o for o in OPERATIONS if o != name)
    return Opt(name, convert, excludes=others, metavar=metavar, help=help, ident=_ids[name])


@dataclass(frozen=True, slots=True)
class Connmark(Target):
    """``mode`` is set, save or restore; ``shift`` counts bits to the left, or to the right when ``right``."""

    NAME: ClassVar[str] = "CONNMARK"
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        _operation("set-xmark", "Clear the mask's bits in the ctmark and XOR the value into it", "value[/mask]"),
        _operation("set-mark", "Clear the mask's bits in the ctmark and OR the value into it", "value[/mask]"),
        _operation("and-mark", "Binary AND the ctmark with bits", "bits"),
        _operation("or-mark", "Binary OR the ctmark with bits", "bits"),
        _operation("xor-mark", "Binary XOR the ctmark with bits", "bits"),
        _operation("save-mark", "Copy the packet's mark to the connection"),
        _operation("restore-mark", "Copy the connection's mark to the packet"),
        Opt("left-shift-mark", uint(8, 0, 32), metavar="bits", help="Shift the result to the left", ident=6),
        Opt("right-shift-mark", uint(8, 0, 32), metavar="bits", help="Shift the result to the right", ident=7),
        Opt("ctmask", uint(32), excludes=("mask",), metavar="mask", help="Bits of the ctmark that count", ident=9),
        Opt("nfmask", uint(32), excludes=("mask",), metavar="mask", help="Bits of the packet's mark that count",
            ident=10),
        Opt("mask", uint(32), excludes=("ctmask", "nfmask"), metavar="mask", help="Both masks at once", ident=11),
    )  # fmt: skip

    mode: str = "set"
    ctmark: int = 0
    ctmask: int = U32
    nfmask: int = U32
    shift: int = 0
    right: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not any(name in given for name in OPERATIONS):
            raise ParameterProblem("CONNMARK target: No operation specified")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        out = cls()
        for name, g in given.items():  # in the order of the command: a later option may set the same mask
            out = out._with(name, g.value)
        return out

    def _with(self, name: str, value: int | tuple[int, int]) -> Self:
        if isinstance(value, tuple):
            mark, mask = value
            return replace(self, mode="set", ctmark=mark, ctmask=mask if name == "set-xmark" else mark | mask)
        match name:
            case "and-mark":
                return replace(self, mode="set", ctmark=0, ctmask=~value & U32)
            case "or-mark":
                return replace(self, mode="set", ctmark=value, ctmask=value)
            case "xor-mark":
                return replace(self, mode="set", ctmark=value, ctmask=0)
            case "save-mark" | "restore-mark":
                return replace(self, mode=name.removesuffix("-mark"))
            case "left-shift-mark" | "right-shift-mark":
                return replace(self, shift=value, right=name[0] == "r")
            case "ctmask":
                return replace(self, ctmask=value)
            case "nfmask":
                return replace(self, nfmask=value)
        return replace(self, ctmask=value, nfmask=value)

    def _shift_text(self, prefix: str) -> str:
        return f" {prefix}{'right' if self.right else 'left'}-shift-mark {self.shift}" if self.shift else ""

    def save(self, base: Base) -> str:
        if self.mode == "set":
            out = f" --set-xmark 0x{self.ctmark:x}/0x{self.ctmask:x}"
        else:
            out = f" --{self.mode}-mark --nfmask 0x{self.nfmask:x} --ctmask 0x{self.ctmask:x}"
        return out + self._shift_text("--")

    def listing(self, numeric: bool, base: Base) -> str:
        return (self._list_set() if self.mode == "set" else self._list_copy()) + self._shift_text("")

    def translate(self, base: Base) -> str | None:
        brace, shift = "", ""
        if self.shift:
            brace, shift = "( ", f" ) {'>>' if self.right else '<<'} {self.shift}"
        if self.mode == "set":
            return f"ct mark set {brace}{self._nft_value()}{shift}"
        if self.nfmask != self.ctmask:
            return None
        mask = "" if self.nfmask == U32 else f" and 0x{self.nfmask:x}"
        return f"{'ct mark set ' if self.mode == 'save' else 'meta mark set '}{brace}{FROM[self.mode]}{mask}{shift}"

    def _nft_value(self) -> str:
        mark, kept = self.ctmark, ~self.ctmask & U32
        if not kept:
            return f"0x{mark:x} "
        if not mark:
            return f"ct mark and 0x{kept:x}"
        if mark == self.ctmask:
            return f"ct mark or 0x{mark:x}"
        return f"ct mark xor 0x{mark:x}" + (f" and 0x{kept:x}" if self.ctmask else "")

    def _list_set(self) -> str:
        if self.ctmark == 0:
            return f" CONNMARK and 0x{~self.ctmask & U32:x}"
        if self.ctmark == self.ctmask:
            return f" CONNMARK or 0x{self.ctmark:x}"
        if self.ctmask == 0:
            return f" CONNMARK xor 0x{self.ctmark:x}"
        if self.ctmask == U32:
            return f" CONNMARK set 0x{self.ctmark:x}"
        return f" CONNMARK xset 0x{self.ctmark:x}/0x{self.ctmask:x}"

    def _list_copy(self) -> str:
        masks = (("nfmask", self.nfmask), ("ctmask", self.ctmask))
        (first, of_first), (second, of_second) = masks if self.mode == "save" else masks[::-1]
        if of_first == of_second:
            return f" CONNMARK {self.mode}" + (f" mask 0x{of_first:x}" if of_first != U32 else "")
        return f" CONNMARK {self.mode} {first} 0x{of_first:x} {second} ~0x{of_second:x}"

    def refused(self, place: Place) -> str | None:
        """The kernel takes one bit less than the command."""
        return "EINVAL" if self.shift >= 32 else None

    def compile(self, cx: Compile) -> Action:
        def shifted(mark: int) -> int:
            return mark >> self.shift if self.right else mark << self.shift & U32

        def act(pkt: Packet, ctx: Context) -> Flow:
            if pkt.ct is None:
                return Flow.CONTINUE
            if self.mode == "restore":
                ctx.set_mark(pkt, pkt.mark & ~self.nfmask & U32 ^ shifted(pkt.ct.mark & self.ctmask))
                return Flow.CONTINUE
            before = pkt.ct.mark
            if self.mode == "set":
                after = shifted(before & ~self.ctmask & U32 ^ self.ctmark)
            else:
                after = before & ~self.ctmask & U32 ^ shifted(pkt.mark & self.nfmask)
            if after != before:
                pkt.ct.mark = after
                pkt.ct.events |= IPCT_MARK
            ctx.rewrote(pkt, "connmark", f"0x{before:x}", f"0x{after:x}")
            return Flow.CONTINUE

        return act


EXTENSIONS = (Connmark,)
