"""Checks of values that came from JSON or TOML: small functions put together into tables of keys.

A check takes a value and the place it stands at, and raises `SchemaError` naming that place.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from iptables_emu.host.locate import Steps


class SchemaError(ValueError):
    """A scenario or a host that cannot be read; the text is one line, ``FILE: steps[3].inject.iface: ...``.

    ``place`` is where the fault is, if it is in a value.
    """

    def __init__(self, message: str, place: Place | None = None) -> None:
        parts = (place.source, place.trail, message) if place else (message,)
        super().__init__(": ".join(part for part in parts if part))
        self.message, self.place = message, place

    def on_line(self, line_of: Callable[[Steps], int]) -> SchemaError:
        """The same with the line of the value: ``FILE: line 7: steps[3].inject.iface: ...``."""
        if self.place is None or not self.place.steps:
            return self
        source = f"{self.place.source}: line {line_of(self.place.steps)}"
        return SchemaError(self.message, Place(source, self.place.steps))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: the file, and the way to it inside."""

    source: str
    steps: Steps = ()

    @property
    def trail(self) -> str:
        """The way in words, ``steps[3].inject``."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps).removeprefix(".")

    def key(self, name: str) -> Place:
        """The value below a key."""
        return Place(self.source, (*self.steps, name))

    def item(self, index: int) -> Place:
        """The value at an index (from 0)."""
        return Place(self.source, (*self.steps, index))

    def error(self, message: str) -> SchemaError:
        """The error to raise about the value here."""
        return SchemaError(message, self)


Check = Callable[[object, Place], None]
MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


def type_name(value: object) -> str:
    """What a value is, in JSON's words."""
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list"}
    return names.get(type(value), "an object" if isinstance(value, dict) else type(value).__name__)


def anything(value: object, place: Place) -> None:
    """No check at all."""


def text(value: object, place: Place) -> None:
    """Any text."""
    if not isinstance(value, str):
        raise place.error(f"must be a text, not {type_name(value)}")


def boolean(value: object, place: Place) -> None:
    """true or false."""
    if not isinstance(value, bool):
        raise place.error(f"must be true or false, not {type_name(value)}")


def integer(low: int, high: int) -> Check:
    """A whole number in a range, ends included."""

    def check(value: object, place: Place) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise place.error(f"must be a whole number, not {type_name(value)}")
        if not low <= value <= high:
            told = value if abs(value) <= MOST_SHOWN else "such a number"  # Python does not write them all
            raise place.error(f"{told} is not in {low}-{high}")

    return check


LONGEST = 1_000_000_000  # seconds to sleep
MOST_SHOWN = 1 << 128
U8, U16, U32 = integer(0, 255), integer(0, 65535), integer(0, 0xFFFFFFFF)


def seconds(value: object, place: Place) -> None:
    """A time that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise place.error(f"must be a number of seconds, not {type_name(value)}")
    if not 0 <= value <= LONGEST:
        raise place.error(f"{value} is no time to wait: 0 to {LONGEST:,} seconds".replace(",", " "))


def words(value: object, place: Place) -> None:
    """Words as a shell takes them."""
    text(value, place)
    try:
        shlex.split(str(value))
    except ValueError as error:
        raise place.error(f"{str(error).lower()}: close the quote") from None


def one_of(words: Collection[str]) -> Check:
    """One of a few words."""

    def check(value: object, place: Place) -> None:
        text(value, place)
        if value not in words:
            raise place.error(f"{value!r} is not one of {', '.join(words)}")

    return check


def hex_bytes(low: int = 0, high: int = 65535, multiple: int = 1) -> Check:
    """Bytes in hex, so many of them."""

    def check(value: object, place: Place) -> None:
        text(value, place)
        try:
            length = len(bytes.fromhex(str(value)))
        except ValueError:
            raise place.error("is not hex") from None
        if not low <= length <= high:
            raise place.error(f"{length} bytes is not in {low}-{high}")
        if length % multiple:
            raise place.error(f"{length} bytes is not a multiple of {multiple}")

    return check


def mac(value: object, place: Place) -> None:
    """A link-layer address, 02:00:00:00:00:01."""
    text(value, place)
    if not MAC.fullmatch(str(value)):
        raise place.error(f"{value!r} is not a MAC address")


def _unscoped(value: object) -> str:
    if "%" in str(value):
        raise ValueError("an address is given without its zone")
    return str(value)


def address(value: object, place: Place) -> None:
    """An IPv4 or IPv6 address."""
    text(value, place)
    try:
        ipaddress.ip_address(_unscoped(value))
    except ValueError:
        raise place.error(f"{value!r} is not an IP address") from None


def address_with_prefix(value: object, place: Place) -> None:
    """An address of an interface, 10.0.0.1/24; without a length it is a single address."""
    text(value, place)
    try:
        ipaddress.ip_interface(_unscoped(value))
    except ValueError:
        raise place.error(f"{value!r} is not an address with a prefix length") from None


def destination(value: object, place: Place) -> None:
    """What a route leads to: a network, an address or "default"."""
    text(value, place)
    if value == "default":
        return
    try:
        ipaddress.ip_network(_unscoped(value))
    except ValueError as error:
        raise place.error(f"{value!r} is not a network ({error})") from None


def interface_name(value: object, place: Place) -> None:
    """A name the kernel takes for an interface (kernel: dev_valid_name)."""
    text(value, place)
    name = str(value)
    if not 0 < len(name.encode("utf-8", "surrogatepass")) < 16 or name in (".", "..") or re.search(r"[/:\s]", name):
        raise place.error(f"{name!r} is not an interface name")


def list_of(check_item: Check) -> Check:
    """A list, each item checked."""

    def check(value: object, place: Place) -> None:
        if not isinstance(value, list):
            raise place.error(f"must be a list, not {type_name(value)}")
        for index, item in enumerate(value):
            check_item(item, place.item(index))

    return check


def either(kind: type, first: Check, second: Check) -> Check:
    """The first check for values of a type, the second for all others."""

    def check(value: object, place: Place) -> None:
        (first if isinstance(value, kind) else second)(value, place)

    return check


def all_of(*checks: Check) -> Check:
    """Several checks, one after the other."""

    def check(value: object, place: Place) -> None:
        for one in checks:
            one(value, place)

    return check


def mapping(check_key: Check, check_value: Check) -> Check:
    """An object whose keys are free."""

    def check(value: object, place: Place) -> None:
        for key, item in object_at(value, place).items():
            check_key(key, place)
            check_value(item, place.key(key))

    return check


def keys(table: Mapping[str, Check], required: Collection[str] = (), just_one: Collection[str] = ()) -> Check:
    """An object with these keys only; of ``just_one`` exactly one must be there."""

    def check(value: object, place: Place) -> None:
        given = object_at(value, place)
        for key, item in given.items():
            if key not in table:
                raise place.key(key).error("unknown key")
            table[key](item, place.key(key))
        for key in required:
            if key not in given:
                raise place.error(f"{key} is missing")
        if just_one and sum(key in given for key in just_one) != 1:
            raise place.error(f"needs exactly one of {', '.join(just_one)}")

    return check


def object_at(value: object, place: Place) -> dict[str, object]:
    """The value as an object."""
    if not isinstance(value, dict):
        raise place.error(f"must be an object, not {type_name(value)}")
    return value
