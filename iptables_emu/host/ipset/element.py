"""The words that the parts of a set speak: requests, elements, what hangs on an element.

Addresses are integers, times are ticks of the kernel's clock (0: never runs out), MAC addresses 48-bit integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

HZ = 250
NS_PER_TICK = 1_000_000_000 // HZ
MAX_TIMEOUT = 0x7FFFFFFF // 1000
ADD, DEL, TEST = "add", "del", "test"
HOST_BITS = {4: 32, 6: 128}


class SetError(Exception):
    """The kernel refuses; ``code`` is the errno or IPSET_ERR_* name without prefix (``EXIST``, ``HASH_FULL`` ...)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Key(NamedTuple):
    """An element's value; a type uses some of the fields. ``cidr`` are prefix lengths of the types with networks."""

    ip: int = 0
    cidr: int = 0
    ip2: int = 0
    cidr2: int = 0
    proto: int = 0
    port: int = 0
    mark: int = 0
    mac: int = 0
    iface: str = ""
    physdev: bool = False
    wildcard: bool = False


@dataclass(slots=True)
class Ext:
    """What is asked for an element's extensions; None is "not said".

    As a mask for a test, ``packets`` and ``octets`` are what a packet adds to the counters.
    """

    timeout: int | None = None  # seconds, 0: for ever
    packets: int | None = None
    octets: int | None = None
    comment: str = ""
    mark: int = 0
    mark_mask: int = 0
    prio: int = 0
    queue: int = 0


@dataclass(slots=True)
class Request:
    """One add, del or test from user space (the netlink attributes); None is "not given"."""

    ip: int | None = None
    ip_to: int | None = None
    cidr: int | None = None
    ip2: int | None = None
    ip2_to: int | None = None
    cidr2: int | None = None
    port: int | None = None
    port_to: int | None = None
    proto: int | None = None
    mark: int | None = None
    mac: int | None = None
    iface: str = ""
    name: str = ""
    nameref: str = ""
    before: bool = False
    physdev: bool = False
    nomatch: bool = False
    wildcard: bool = False
    ext: Ext = field(default_factory=Ext)
    with_mark: bool = False  # skbmark, skbprio or skbqueue was given
    with_comment: bool = False


class Counters(NamedTuple):
    """A condition on an element's counters: (kind, number) with kind eq, ne, lt or gt, or None."""

    packets: tuple[str, int] | None = None
    octets: tuple[str, int] | None = None

    def hold(self, entry: Entry) -> bool:
        return _compare(self.packets, entry.packets) and _compare(self.octets, entry.octets)


def _compare(wanted: tuple[str, int] | None, have: int) -> bool:
    if wanted is None:
        return True
    kind, number = wanted
    if kind in ("eq", "ne"):
        return (have == number) is (kind == "eq")
    return have < number if kind == "lt" else have > number


@dataclass(slots=True)
class Look:
    """How a packet looks into a set, and what it finds there (struct ip_set_adt_opt)."""

    octets: int = 0
    counters: Counters | None = None
    return_nomatch: bool = False
    skip_counters: bool = False
    skip_subcounters: bool = False
    found: Entry | None = None


@dataclass(slots=True)
class Entry:
    """An element in a set with its extensions (those that the set has)."""

    key: Key
    nomatch: bool = False
    expires: int = 0
    packets: int = 0
    octets: int = 0
    comment: str = ""
    mark: int = 0
    mark_mask: int = 0
    prio: int = 0
    queue: int = 0
    filled: bool = True  # bitmap:ip,mac: the MAC address is known; until then ``expires`` is plain seconds

    def expired(self, now: int) -> bool:
        return self.filled and self.expires != 0 and self.expires < now

    def left(self, now: int) -> int:
        """Seconds left as a listing tells them: 0 is for ever."""
        if not self.filled:
            return self.expires
        if not self.expires:
            return 0
        return max((self.expires - now) * 1000 // HZ // 1000, 1)


def expiry(seconds: int, now: int) -> int:
    """The tick at which a timeout runs out."""
    return now + seconds * HZ if seconds else 0
