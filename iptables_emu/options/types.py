"""Converters: text of one option argument -> value (libxtables: XTTYPE_*, messages of xtoptions.c).

Each function here builds a ``Converter``; values are ints, strings and tuples of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from iptables_emu.model import address
from iptables_emu.options import names
from iptables_emu.options.numbers import U8, U16, U32, U64, scan, strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Converter, OptionContext

MAX = {8: U8, 16: U16, 32: U32, 64: U64}


def uint(bits: int, low: int = 0, high: int = 0, base: int = 0) -> Converter:
    """An integer of 8, 16, 32 or 64 bits (XTTYPE_UINT*)."""
    top = high or MAX[bits]

    def convert(text: str, cx: OptionContext) -> int:
        value = strict(text, low, top, base)
        if value is None:
            raise ParameterProblem(f'{cx.ext}: bad value for option "--{cx.name}", or out of range ({low}-{top}).\n')
        return value

    return convert


def uint_range(bits: int, low: int = 0, high: int = 0, most: int = 2) -> Converter:
    """``a``, ``a:b`` (up to ``most`` parts) -> the tuple of the values as written (XTTYPE_UINT*RC).

    A missing part takes the lower bound, or the upper one in second place.
    """
    top = min(high, MAX[bits]) if high else MAX[bits]

    def convert(text: str, cx: OptionContext) -> tuple[int, ...]:
        out: list[int] = []
        least, rest = low, text
        while True:
            if len(out) == most:
                raise ParameterProblem(f'{cx.ext}: Too many components for option "--{cx.name}" (max: {most})\n')
            if rest == "" or rest[0] == ":":
                value, end = (top if len(out) == 1 else least), rest
            else:
                found = scan(rest, least, top)
                if found is None:
                    raise ParameterProblem(
                        f'{cx.ext}: bad value for option "--{cx.name}" near "{rest}", '
                        f"or out of range ({least}-{top}).\n"
                    )
                value, end = found
                if end and end[0] != ":":
                    raise ParameterProblem(
                        f'{cx.ext}: Argument to "--{cx.name}" has unexpected characters near "{end}".\n'
                    )
                least = value
            out.append(value)
            if not end:
                return tuple(out)
            rest = end[1:]

    return convert


_DOUBLE = re.compile(
    r"[ \t\n\v\f\r]*[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf(?:inity)?|nan|0x[0-9a-f.]+)\Z", re.I | re.A
)


def double(low: int = 0, high: int = 0) -> Converter:
    """A floating point number (XTTYPE_DOUBLE); the range is checked only when ``low`` != ``high``."""

    def convert(text: str, cx: OptionContext) -> float:
        good = _DOUBLE.match(text)
        value = (float.fromhex(text.strip()) if "x" in text.lower() else float(text)) if good else 0.0
        if not good or (low != high and not low <= value <= high):
            raise ParameterProblem(f'{cx.ext}: bad value for option "--{cx.name}", or out of range ({low}-{high}).\n')
        return value

    return convert


def blen(text: str) -> int:
    """Length in bytes, as C counts (text holds undecodable bytes as surrogates)."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def cut(text: str, size: int) -> str:
    """The first ``size`` bytes of the text, as strncpy keeps them."""
    if text.isascii():
        return text[:size]
    return text.encode("utf-8", "surrogateescape")[:size].decode("utf-8", "surrogateescape")


def string(low: int = 0, high: int = 0, size: int = 0) -> Converter:
    """A string of ``low`` to ``high`` bytes, cut to ``size`` - 1 bytes (the kernel's field; 0: not cut)."""

    def convert(text: str, cx: OptionContext) -> str:
        length = blen(text)
        if low and length < low:
            raise ParameterProblem(f"Argument must have a minimum length of {low} characters\n")
        if high and length > high:
            raise ParameterProblem(f"Argument must have a maximum length of {high} characters\n")
        return cut(text, size - 1) if size and length >= size else text

    return convert


TOS_NAMES = (("Minimize-Delay", 0x10), ("Maximize-Throughput", 0x08), ("Maximize-Reliability", 0x04),
             ("Minimize-Cost", 0x02), ("Normal-Service", 0x00))  # fmt: skip


def tos_mask(symbol_mask: int = 0x3F) -> Converter:
    """``value[/mask]`` or a TOS name, whose mask is ``symbol_mask`` (XTTYPE_TOSMASK) -> (value, mask)."""

    def convert(text: str, cx: OptionContext) -> tuple[int, int]:
        found = scan(text, 0, U8)
        if found is None:
            for name, value in TOS_NAMES:
                if name.lower() == text.lower():
                    return value, symbol_mask
            raise ParameterProblem(f'Symbolic name "{text}" is unknown')
        value, rest = found
        mask = U8
        if rest[:1] == "/":
            second = scan(rest[1:], 0, U8)
            if second is None:
                raise ParameterProblem(f'Illegal value: "{text}"')
            mask, rest = second
        if rest:
            raise ParameterProblem(f'Illegal value: "{text}"')
        return value, mask

    return convert


def mark_mask(text: str, cx: OptionContext) -> tuple[int, int]:
    """``value[/mask]`` of 32 bits (XTTYPE_MARKMASK32) -> (value, mask); the mask is all ones unless given."""
    found = scan(text, 0, U32)
    if found is None:
        raise _bad_integer(cx)
    value, rest = found
    if not rest:
        return value, U32
    if rest[0] != "/":
        raise ParameterProblem(f'{cx.ext}: trailing garbage after value for option "--{cx.name}".\n')
    second = scan(rest[1:], 0, U32)
    if second is None:
        raise _bad_integer(cx)
    if second[1]:
        raise ParameterProblem(f'{cx.ext}: trailing garbage after value for option "--{cx.name}".\n')
    return value, second[0]


def _bad_integer(cx: OptionContext) -> ParameterProblem:
    return ParameterProblem(f'{cx.ext}: bad integer value for option "--{cx.name}", or out of range.\n')


SYSLOG_LEVELS = {"alert": 1, "crit": 2, "debug": 7, "emerg": 0, "error": 3, "info": 6, "notice": 5, "panic": 0,
                 "warning": 4}  # fmt: skip


def syslog_level(text: str, cx: OptionContext) -> int:
    """0-7 or the name of a level (XTTYPE_SYSLOGLEVEL)."""
    value = strict(text, 0, 7)
    if value is None:
        value = SYSLOG_LEVELS.get(text)
    if value is None:
        raise ParameterProblem(f'log level "{text}" unknown\n')
    return value


def protocol(text: str) -> int:
    """A protocol by number or name (xtables_parse_protocol). Raises ParameterProblem."""
    value = names.CHAIN_NUMBER.get(text)
    if value is None:
        value = strict(text, 0, U8)
    if value is None:
        value = names.protocol_number(text)
    if value is None:
        raise ParameterProblem(f'unknown protocol "{text}" specified')
    return value


def protocol_option(text: str, cx: OptionContext) -> int:
    return protocol(text)


def _port(text: str) -> int | None:
    """getaddrinfo's service: digits (modulo 65536) or a name of any protocol."""
    digits = re.fullmatch(r"[ \t\n\v\f\r]*\+?([0-9]+)", text)
    if digits:
        return int(digits.group(1)) & U16
    return 0 if text == "" else names.service_port(text, None)


def port(text: str, cx: OptionContext) -> int:
    """One port by number or name (XTTYPE_PORT)."""
    value = _port(text)
    if value is None:
        raise ParameterProblem(f'Port "{text}" does not resolve to anything.\n')
    return value


def port_range(text: str, cx: OptionContext) -> tuple[int, int]:
    """``a``, ``a:b``, ``:b``, ``a:`` -> (low, high) (XTTYPE_PORTRC)."""
    parts = text.split(":")
    bounds, last = [0, U16], 0
    for index, part in enumerate(parts):
        if index == 2:
            raise ParameterProblem(f'{cx.ext}: Too many components for option "--{cx.name}" (max: 2)\n')
        if part == "":
            continue
        value = _port(part)
        if value is None:
            raise ParameterProblem(f'Port "{part}" does not resolve to anything.\n')
        if value < last:
            raise ParameterProblem(f"Port range {last}-{value} is negative.\n")
        last = bounds[index] = value
    return (bounds[0], bounds[0]) if len(parts) == 1 else (bounds[0], bounds[1])


def service(text: str, proto: str) -> int:
    """A port by number (base 0) or service name (xtables_parse_port)."""
    value = strict(text, 0, U16)
    if value is None:
        value = names.service_port(text, proto)
    if value is None:
        raise ParameterProblem(f"invalid port/service `{text}' specified")
    return value


def host(text: str, cx: OptionContext) -> int:
    """One address, numeric as inet_aton takes it or by name (XTTYPE_HOST)."""
    family = cx.base.family
    value = address.parse_plain(text, family)
    if value is None and family == 4:
        value = inet_aton(text)
    if value is None:
        other = address.parse_plain(text, 10 - family) is not None or (family == 6 and inet_aton(text) is not None)
        why = "Address family for hostname not supported" if other else "Name or service not known"
        raise ParameterProblem(f"getaddrinfo: {why}\n")
    return value


def inet_aton(text: str) -> int | None:
    """The old spellings of an IPv4 address (``10.1``, ``0x7f000001``, octal parts), or None."""
    parts = text.split(".")
    if not 1 <= len(parts) <= 4:
        return None
    values = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        value = strict(part, 0, (1 << 8 * (4 - index)) - 1 if last else 255) if part and part[0].isdigit() else None
        if value is None:
            return None
        values.append(value)
    out = values[-1]
    for index, value in enumerate(values[:-1]):
        out |= value << (24 - 8 * index)
    return out


def plen(text: str, cx: OptionContext) -> int:
    """A prefix length, or a mask spelt out (XTTYPE_PLEN); a mask that is no prefix gives -1."""
    mask = plen_mask(text, cx)
    bits = address.mask_bits(mask, cx.base.family)
    return -1 if bits is None else bits


def plen_mask(text: str, cx: OptionContext) -> int:
    """The same as a mask (XTTYPE_PLENMASK)."""
    family = cx.base.family
    bits = strict(text, 0, address.BITS[family])
    if bits is not None:
        return address.prefix_mask(bits, family)
    mask = address.parse_plain(text, family)
    if mask is None and family == 4:
        mask = inet_aton(text)
    if cx.base.release == "1.8.9" and mask is not None and address.mask_bits(mask, family) is None:
        return address.FULL[family]  # that release loses a mask with holes in it
    if mask is None:
        raise ParameterProblem(
            f'{cx.ext}: bad value for option "--{cx.name}", neither a valid network mask '
            f"nor valid CIDR (0-{address.BITS[family]}).\n"
        )
    return mask


def host_mask(text: str, cx: OptionContext) -> tuple[int, int]:
    """``address[/mask]`` -> (address with its host bits, mask) (XTTYPE_HOSTMASK)."""
    where, slash, mask = text.partition("/")
    value = host(where, cx)
    return value, plen_mask(mask, cx) if slash else address.FULL[cx.base.family]


def ether_mac(text: str, cx: OptionContext) -> int:
    """A MAC address as a 48-bit integer (XTTYPE_ETHERMAC)."""
    parts = text.split(":")
    if len(parts) != 6 or not all(re.fullmatch(r"[0-9a-fA-F]{0,2}", part) for part in parts):
        raise ParameterProblem("Invalid MAC address specified.")
    return int.from_bytes(bytes(int(part or "0", 16) for part in parts), "big")


WELL_KNOWN_MACS = {"unicast": (0, 0x010000000000), "multicast": (0x010000000000, 0x010000000000),
                   "broadcast": (0xFFFFFFFFFFFF, 0xFFFFFFFFFFFF), "bga": (0x0180C2000000, 0xFFFFFFFFFFFF)}  # fmt: skip


def ether_mac_mask(text: str, cx: OptionContext) -> tuple[int, int]:
    """``mac[/mask]`` or a well-known name -> (mac, mask) (XTTYPE_ETHERMACMASK)."""
    known = WELL_KNOWN_MACS.get(text.lower())
    if known:
        return known
    where, slash, mask_text = text.rpartition("/")
    mac = _ether_aton(where if slash else text)
    mask = _ether_aton(mask_text) if slash else 0xFFFFFFFFFFFF
    if mac is None or mask is None:
        raise ParameterProblem("Invalid MAC/mask address specified.")
    return mac & mask, mask


def _ether_aton(text: str) -> int | None:
    parts = text.split(":")
    if len(parts) != 6 or not all(re.fullmatch(r"[0-9a-fA-F]{1,2}", part) for part in parts):
        return None
    return int.from_bytes(bytes(int(part, 16) for part in parts), "big")


def show_mac(mac: int) -> str:
    """``02:00:00:00:00:01``."""
    return mac.to_bytes(6, "big").hex(":")


def save_string(text: str) -> str:
    """A word as iptables-save writes it, with the blank before it (xtables_save_string)."""
    if re.fullmatch(r"[A-Za-z0-9_-]+", text):
        return f" {text}"
    return ' "' + re.sub(r"([\"\\'])", r"\\\1", text) + '"'


def show_mark_mask(value: int, mask: int) -> str:
    """`` 0x1`` or `` 0x1/0xff`` with the blank before it (xtables_print_mark_mask)."""
    return f" 0x{value:x}" if mask == U32 else f" 0x{value:x}/0x{mask:x}"


def choice(table: dict[str, Any], message: Callable[[str], str]) -> Converter:
    """One of a fixed set of words."""

    def convert(text: str, cx: OptionContext) -> Any:
        if text not in table:
            raise ParameterProblem(message(text))
        return table[text]

    return convert
