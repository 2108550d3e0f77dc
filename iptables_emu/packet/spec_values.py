"""Values of the packet language: one word each, with the column where it stands for the message."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from iptables_emu.model.address import BITS, family_of, parse_plain
from iptables_emu.options import names
from iptables_emu.options.numbers import U8, U16, U32, strict
from iptables_emu.packet.build import PROTOCOLS, TCP_FLAGS
from iptables_emu.packet.printable import printable

FLAG_NAMES: Final = {"fin": "F", "syn": "S", "rst": "R", "psh": "P", "ack": "A", "urg": "U", "ece": "E", "cwr": "C"}
FLAG_SETS: Final = {**FLAG_NAMES, "all": "FSRPAU", "none": ""}
TOS_NAMES: Final = {"minimize-delay": 16, "maximize-throughput": 8, "maximize-reliability": 4, "minimize-cost": 2,
                    "normal-service": 0}  # fmt: skip
ANY: Final = ("", "any", "*")


class PacketError(ValueError):
    """A packet that cannot be understood: ``column`` counts from 1 in ``text``, the words joined by blanks."""

    def __init__(self, message: str, column: int, text: str = "") -> None:
        super().__init__(message, column)
        self.message, self.column, self.text = message, column, text

    def __str__(self) -> str:
        return f"packet: column {self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing said about the packet: what, the word, its column, and how it was introduced."""

    key: str
    text: str
    column: int
    said: str = ""

    def wrong(self, message: str) -> PacketError:
        return PacketError(message, self.column)

    @property
    def shown(self) -> str:
        return f'"{printable(self.text)}"'


def number(low: int, high: int) -> Callable[[Item], int]:
    """A number in decimal, hexadecimal or octal, as iptables reads it."""

    def convert(item: Item) -> int:
        value = strict(item.text, low, high)
        if value is None:
            raise item.wrong(f"{item.shown} is no {item.key}: give a number from {low} to {high}")
        return value

    return convert


def protocol(item: Item) -> str | int:
    """The name that the packet builder knows, else the number."""
    text = item.text.lower()
    value = strict(text, 0, U8)
    value = next((n for n in (value, names.CHAIN_NUMBER.get(text), names.protocol_number(text)) if n is not None), None)
    if text == "all":
        raise item.wrong("a packet has one protocol: give tcp, udp, icmp, ... or a number from 0 to 255")
    if value is None:
        raise item.wrong(f"unknown protocol {item.shown}: give tcp, udp, icmp, ... or a number from 0 to 255")
    return next((name for name, known in PROTOCOLS.items() if known == value), value)


def interface(item: Item) -> str:
    text = item.text
    if text.endswith("+"):
        raise item.wrong(f"{item.shown} is a pattern, a packet has one interface: name it, as eth0")
    too_long = len(text.encode("utf-8", "surrogateescape")) > 15
    if not text or too_long or re.search(r"[\s/]", text) or not text.isprintable():
        raise item.wrong(f"{item.shown} is no interface name: at most 15 characters, no blanks or slashes")
    return text


def address(item: Item) -> str:
    """A complete numeric address; a full-length prefix is taken off."""
    text, slash, bits = item.text.partition("/")
    family = family_of(text)
    if parse_plain(text, family) is None:
        raise item.wrong(f"{item.shown} is no address: write it in numbers, as 10.0.0.5 or fd00::5")
    if slash and strict(bits, BITS[family], BITS[family]) is None:
        raise item.wrong(f"{item.shown} is a network, a packet has one address: leave out /{printable(bits)}")
    return text


def port(item: Item) -> int:
    value = strict(item.text, 0, U16, 10)
    if value is None:
        value = names.service_port(item.text, None)
    if value is None and re.fullmatch(r"\d*[:-]\d*|[\d:]+(,[\d:]+)+", item.text):
        raise item.wrong(f"{item.shown} is more than one port: a packet has one, as 80")
    if value is None:
        raise item.wrong(f"{item.shown} is no port: give a number from 0 to 65535 or a service's name")
    return value


def endpoint(item: Item) -> tuple[str | None, int | None]:
    """``address``, ``address:port``, ``[v6]:port``; ``any`` or nothing for the part left open."""
    text = item.text
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", text)
    if bracketed:
        where, tail = bracketed[1], bracketed[2]
    elif text.count(":") > 1:
        where, tail = text, None
    else:
        where, colon, after = text.partition(":")
        tail = after if colon else None
    start = item.column + bool(bracketed)
    host = None if where.lower() in ANY else address(Item(item.key, where, start))
    if tail is None:
        return host, None
    return host, port(Item(item.key, tail, item.column + len(text) - len(tail)))


def mac(item: Item) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}", item.text):
        raise item.wrong(f"{item.shown} is no MAC address: write six bytes, as 02:00:00:00:00:01")
    return ":".join(f"{int(part, 16):02x}" for part in item.text.split(":"))


def tos(item: Item) -> int:
    named = TOS_NAMES.get(item.text.lower())
    return named if named is not None else number(0, U8)(item)


def flag_letters(item: Item) -> str:
    """``SA``, ``syn,ack``, ``none`` -> letters in the order of the header's bits."""
    text = item.text
    letters = ""
    if set(text.upper()) <= set(TCP_FLAGS):
        letters = text.upper()
    else:
        for word in text.split(","):
            if word.lower() not in FLAG_SETS:
                raise item.wrong(f"{item.shown} are no TCP flags: write names, as syn,ack, or letters of {TCP_FLAGS}")
            letters += FLAG_SETS[word.lower()]
    return in_order(letters)


def in_order(letters: str) -> str:
    return "".join(letter for letter in TCP_FLAGS if letter in letters)


CONVERT: Final[dict[str, Callable[[Item], str | int]]] = {
    "proto": protocol, "src": address, "dst": address, "sport": port, "dport": port, "in": interface, "out": interface,
    "mark": number(0, U32), "ttl": number(0, U8), "tos": tos, "len": number(0, U16), "mac": mac,
    "uid": number(0, U32), "seq": number(0, U32), "ack": number(0, U32), "window": number(0, U16),
    "id": number(0, U16), "type": number(0, U8), "code": number(0, U8),
}  # fmt: skip
