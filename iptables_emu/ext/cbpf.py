"""Classic BPF programs: the kernel's check and what they answer (kernel: net/core/filter.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from iptables_emu.options.numbers import U32

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, k
Program = tuple[Instruction, ...]

LD, LDX, ST, STX, ALU, JMP, RET, MISC = range(8)  # code & 7
IMM, ABS, IND, MEM, LEN, MSH = (n << 5 for n in range(6))  # code & 0xe0 of a load
BYTES = {0x00: 4, 0x08: 2, 0x10: 1}  # code & 0x18 of a load
FROM_X = 0x08  # the operand is X, not k
CELLS = 16
AD_OFF, NET_OFF, LL_OFF = 0xFFFFF000, 0xFFF00000, 0xFFE00000  # SKF_AD_OFF and its like
AD_PROTOCOL, AD_PKTTYPE, AD_MARK, AD_XOR_X, AD_VLAN_TAG, AD_VLAN_TAG_PRESENT = 0, 4, 20, 40, 44, 48
AD_MAX = 64

ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR = (n << 4 for n in range(11))
JA, JEQ, JGT, JGE, JSET = (n << 4 for n in range(5))

_ARITHMETIC: dict[int, Callable[[int, int], int]] = {
    ADD: lambda a, b: a + b, SUB: lambda a, b: a - b, MUL: lambda a, b: a * b, DIV: lambda a, b: a // b,
    MOD: lambda a, b: a % b, OR: lambda a, b: a | b, AND: lambda a, b: a & b, XOR: lambda a, b: a ^ b,
    LSH: lambda a, b: a << (b & 31), RSH: lambda a, b: a >> (b & 31), NEG: lambda a, b: -a,
}  # fmt: skip
_JUMPS: dict[int, Callable[[int, int], bool]] = {
    JEQ: lambda a, b: a == b, JGT: lambda a, b: a > b, JGE: lambda a, b: a >= b, JSET: lambda a, b: a & b != 0,
}  # fmt: skip
_LOADS = {
    *(size | mode for size in BYTES for mode in (ABS, IND)), IMM, MEM, LEN,
    LDX | IMM, LDX | MEM, LDX | LEN, LDX | MSH | 0x10,
}  # fmt: skip
ALLOWED = frozenset(
    {*_LOADS, ST, STX, RET, RET | 0x10, MISC, MISC | 0x80, JMP | JA, ALU | NEG}
    | {ALU | op | side for op in _ARITHMETIC if op != NEG for side in (0, FROM_X)}
    | {JMP | op | side for op in _JUMPS for side in (0, FROM_X)}
)


def sound(program: Program) -> bool:
    """Whether the kernel takes the program."""
    size = len(program)
    return (
        bool(program)
        and all(_sound_one(instruction, size - at - 1) for at, instruction in enumerate(program))
        and program[-1][0] in (RET, RET | 0x10)
        and _cells_filled(program)
    )


def _sound_one(instruction: Instruction, behind: int) -> bool:
    """One instruction with ``behind`` others after it."""
    code, yes, no, k = instruction
    if code not in ALLOWED:
        return False
    kind = code & 7
    if code in (ALU | DIV, ALU | MOD):
        return k != 0
    if code in (ALU | LSH, ALU | RSH):
        return k < 32
    if code in (LD | MEM, LDX | MEM, ST, STX):
        return k < CELLS
    if kind == JMP:
        return k < behind if code == JMP | JA else max(yes, no) < behind
    if kind == LD and code & 0xE0 == ABS:
        return k < AD_OFF or ((k - AD_OFF) % 4 == 0 and k - AD_OFF < AD_MAX)
    return True


def _cells_filled(program: Program) -> bool:
    """No cell is read that was not written on every way to it."""
    known = [(1 << CELLS) - 1] * (len(program) + 1)
    valid = 0
    for at, (code, yes, no, k) in enumerate(program):
        valid &= known[at]
        if code in (ST, STX):
            valid |= 1 << k
        elif code in (LD | MEM, LDX | MEM):
            if not valid >> k & 1:
                return False
        elif code & 7 == JMP:
            for there in (at + 1 + k,) if code == JMP | JA else (at + 1 + yes, at + 1 + no):
                known[there] &= valid
            valid = (1 << CELLS) - 1
    return True


class _Outside(Exception):
    """A load outside of the packet, or a division by zero: the answer is 0."""


class Unknown(Exception):
    """The program asks what only a running kernel knows."""


def run(program: Program, pkt: Packet) -> int:
    """The program's answer for a packet, read from its IP header on. Raises Unknown."""
    try:
        return _run(program, pkt)
    except _Outside:
        return 0


def _run(program: Program, pkt: Packet) -> int:
    data = pkt.quoted(pkt.length)
    a = x = at = 0
    cells = [0] * CELLS
    while True:
        code, yes, no, k = program[at]
        at += 1
        kind, operand = code & 7, x if code & FROM_X else k
        if kind == RET:
            return a if code & 0x10 else k
        if kind == LD:
            a = _load(code, k, a, x, cells, data, pkt)
        elif kind == LDX:
            x = (_byte(data, k) & 15) * 4 if code & 0xE0 == MSH else _load(code, k, a, x, cells, data, pkt)
        elif kind in (ST, STX):
            cells[k] = a if kind == ST else x
        elif kind == ALU:
            if code & 0xF0 in (DIV, MOD) and not operand:
                raise _Outside
            a = _ARITHMETIC[code & 0xF0](a, operand) & U32
        elif kind == JMP:
            at += k if code == JMP | JA else yes if _JUMPS[code & 0xF0](a, operand) else no
        elif code & 0x80:
            a = x
        else:
            x = a


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise _Outside
    return data[at]


def _load(code: int, k: int, a: int, x: int, cells: list[int], data: bytes, pkt: Packet) -> int:
    mode = code & 0xE0
    if mode == IMM:
        return k
    if mode == MEM:
        return cells[k]
    if mode == LEN:
        return len(data)
    if mode == ABS and k >= AD_OFF:
        return _ancillary(k - AD_OFF, a, x, pkt)
    where = k if mode == ABS else k + x & U32
    if where >= 1 << 31:
        if LL_OFF <= where < NET_OFF:
            raise Unknown  # the link layer's header
        if where < LL_OFF:
            raise _Outside
        where -= NET_OFF
    size = BYTES[code & 0x18]
    if where + size > len(data):
        raise _Outside
    return int.from_bytes(data[where : where + size], "big")


def _ancillary(what: int, a: int, x: int, pkt: Packet) -> int:
    if what == AD_PROTOCOL:
        return 0x0800 if pkt.family == 4 else 0x86DD
    if what == AD_MARK:
        return pkt.mark
    if what == AD_XOR_X:
        return a ^ x
    if what == AD_PKTTYPE:
        return pkt.pkttype
    if what in (AD_VLAN_TAG, AD_VLAN_TAG_PRESENT):
        return 0  # no link of the host has tags
    raise Unknown
