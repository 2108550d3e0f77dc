"""Random u32 tests and BPF programs, near what packets hold."""

from __future__ import annotations

import ipaddress

from tests.kernel.fuzz.draw import U32, Draw

PLACES4 = ("0", "2", "4", "6", "8", "9", "12", "16", "20", "22", "24", "33", "0>>22&0x3C@0", "0>>22&0x3C@2",
           "0>>22&0x3C@4", "0>>22&0x3C@12>>26&0x3C@0", "100", "0>>22&0x3C@1000")  # fmt: skip
# before the fourth byte stands the flow label, which the kernel draws for its own packets
PLACES6 = ("4", "6", "8", "20", "36", "40", "42", "48", "52>>26&0x3C@40", "200")
MASKS = ("0xff", "0xffff", "0x3fff", "0xff00", "0xf", "0x0", "0xffffffff")


def u32_tests(draw: Draw) -> str:
    """One to three tests, joined; now and then the ends of an address as they stand in the header."""
    return '"' + "&&".join(_u32_test(draw) for _ in range(draw.rng.choice((1, 1, 1, 2, 3)))) + '"'


def _u32_test(draw: Draw) -> str:
    if draw.often(0.2) and not draw.six:
        key, place = draw.rng.choice((("src", 12), ("dst", 16)))
        value = int(ipaddress.ip_address(draw.address(key)))
        return f"{place}={max(0, value - draw.rng.choice((0, 1)))}:{min(U32, value + draw.rng.choice((0, 1)))}"
    where = draw.of(*(PLACES6 if draw.six else PLACES4))
    for _ in range(draw.rng.choice((0, 1, 1, 2))):
        where += draw.of(f"&{draw.of(*MASKS)}", f">>{draw.of(1, 8, 16, 24)}", f"<<{draw.of(1, 8, 16)}")
    words = []
    for _ in range(draw.rng.choice((1, 1, 2))):
        low = draw.rng.choice((0, 1, 6, 17, 40, 53, 64, 80, 0x45, 255, 1000, 65535))
        words.append(draw.of(low, f"{low}:{low + draw.rng.choice((0, 1, 100, 70000))}", hex(low), f"0:{U32}"))
    return f"{where}={','.join(words)}"


def bytecode(draw: Draw) -> str:
    """A program that ends with two returns, to which all jumps lead in the end."""
    body = [_instruction(draw) for _ in range(draw.rng.randint(1, 5))]
    lines = []
    for number, line in enumerate(body):
        left = len(body) - number  # instructions from here to the first return, itself not counted
        code = int(line.split()[0])
        if code & 7 == 5 and code != 5:
            value = line.split()[1]
            line = f"{code} {draw.rng.randrange(left + 1)} {draw.rng.randrange(left + 1)} {value}"
        else:
            line = f"{code} 0 0 {line.split()[1]}"
        lines.append(line)
    first, second = draw.rng.choice(((0, 1), (1, 0), (65535, 0), (0, 7)))
    lines += [f"6 0 0 {first}", f"6 0 0 {second}"]
    if draw.often(0.1):
        lines.insert(-2, "22 0 0 0")  # returns A
    return f'"{len(lines)},{",".join(lines)}"'


def _instruction(draw: Draw) -> str:
    at = draw.rng.choice(
        (
            0,
            1,
            2,
            6,
            8,
            9,
            12,
            16,
            20,
            22,
            24,
            33,
            40,
            48,
            100,
            0xFFFFF000,
            0xFFFFF004,
            0xFFFFF014,
            0xFFFFF02C,
            0xFFFFF030,
            0xFFF00000,
            0xFFF00009,
            0xFFF000F0,
        )
    )
    value = draw.rng.choice((0, 1, 4, 6, 17, 20, 40, 53, 64, 80, 0x45, 240, 255, 65535, U32))
    kind = draw.rng.random()
    if kind < 0.35:
        return f"{draw.of(48, 40, 32, 80, 72, 64)} {at}"  # ldb, ldh, ld: absolute and with X
    if kind < 0.5:
        return f"{draw.of(1, 0, 177, 128, 129, 2, 3, 96, 97)} {draw.of(0, 1, 2, 15) if draw.often(0.5) else value}"
    if kind < 0.75:  # arithmetic with K and with X
        code = draw.of(
            4, 20, 36, 52, 68, 84, 100, 116, 148, 164, 12, 28, 44, 60, 76, 92, 108, 124, 132, 156, 172, 7, 135
        )
        return f"{code} {draw.rng.choice((1, 2, 8, 31)) if code in ('100', '116') else value or 1}"
    return f"{draw.of(21, 37, 53, 69, 29, 45, 61, 77)} {value}"
