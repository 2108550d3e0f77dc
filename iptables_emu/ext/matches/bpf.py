"""bpf: a classic BPF program over the packet (kernel: xt_bpf.c, revision 1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.ext.cbpf import Program, Unknown, run, sound
from iptables_emu.options.numbers import U16, U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

MOST = 64  # XT_BPF_MAX_NUM_INSTR
_NUMBER = r"\s*([+-]?[0-9]+)"
_LENGTH = re.compile(_NUMBER + ",", re.ASCII)
_INSTRUCTION = re.compile(_NUMBER * 4, re.ASCII)


def _program(text: str, cx: OptionContext) -> Program:
    """``COUNT,CODE JT JF K,...`` as nfbpf_compile and tcpdump -ddd write it."""
    found = _LENGTH.match(text)
    if found is None:
        raise ParameterProblem("bpf: error parsing program length")
    length = int(found.group(1)) & U16
    if not length:
        raise ParameterProblem("bpf: illegal zero length program")
    if length > MOST:
        raise ParameterProblem("bpf: number of instructions exceeds maximum")
    words = text.split(",")[1:]
    out: list[tuple[int, int, int, int]] = []
    for index, word in enumerate(words):
        if not word and index == len(words) - 1:
            break
        if len(out) >= length:
            raise ParameterProblem("bpf: real program length exceeds the encoded length parameter")
        numbers = _INSTRUCTION.match(word)
        if numbers is None:
            raise ParameterProblem(f"bpf: error at instr {len(out)}")
        code, yes, no, k = map(int, numbers.groups())
        out.append((code & U16, yes & 0xFF, no & 0xFF, k & U32))
    if len(out) != length:
        raise ParameterProblem("bpf: parsed program length is less than the encoded length parameter")
    return tuple(out)


def _pinned(text: str, cx: OptionContext) -> str:
    # there is no bpf file system here that could hold the object
    raise ParameterProblem("bpf: failed to get bpf object")


@dataclass(frozen=True, slots=True)
class Bpf(Match):
    """The program reads from the IP header on; any answer but 0 matches."""

    NAME: ClassVar[str] = "bpf"
    MISSING: ClassVar[str] = ": its program asks for what only a running kernel has"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("bytecode", _program, metavar="program", help="count, then instructions: code jt jf k"),
        Opt("object-pinned", _pinned, metavar="path", help="a program pinned in the bpf file system"),
    )

    program: Program

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if "bytecode" not in given:
            raise ParameterProblem("bpf: one of --bytecode or --pinned is required")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["bytecode"].value)

    def _text(self) -> str:
        return ",".join(" ".join(map(str, instruction)) for instruction in self.program)

    def save(self, base: Base) -> str:
        return f' --bytecode "{len(self.program)},{self._text()}"'

    def listing(self, numeric: bool, base: Base) -> str:
        return f"match bpf {self._text()}\0"  # iptables prints the NUL

    def refused(self, place: Place) -> str | None:
        return None if sound(self.program) else "EINVAL"

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool | None:
            try:
                return run(self.program, pkt) != 0
            except Unknown:
                return None

        return test


EXTENSIONS = (Bpf,)
