"""Names of services, protocols and networks, from tables in the package: every machine answers the same."""

from __future__ import annotations

from functools import cache
from importlib import resources

from iptables_emu.model.address import show

# name -> number, in iptables' own order of preference (libxtables: xtables_chain_protos)
CHAIN_PROTOCOLS: tuple[tuple[str, int], ...] = (
    ("tcp", 6), ("sctp", 132), ("udp", 17), ("udplite", 136), ("icmp", 1), ("ipv6-icmp", 58), ("icmpv6", 58),
    ("esp", 50), ("ah", 51), ("mobility-header", 135), ("ipv6-mh", 135), ("mh", 135), ("dccp", 33),
    ("ipcomp", 108), ("all", 0),
)  # fmt: skip
CHAIN_NUMBER: dict[str, int] = dict(CHAIN_PROTOCOLS)
CHAIN_NAME: dict[int, str] = {number: name for name, number in reversed(CHAIN_PROTOCOLS)}

NETWORKS: dict[str, int] = {"default": 0, "loopback": 0x7F000000, "link-local": 0xA9FE0000}


def _rows(name: str) -> list[list[str]]:
    text = resources.files("iptables_emu.data").joinpath(name).read_text()
    return [line.split() for line in text.splitlines() if line and line[0] != "#"]


@cache
def _services() -> tuple[dict[tuple[str, str], int], dict[tuple[int, str], str]]:
    by_name: dict[tuple[str, str], int] = {}
    by_port: dict[tuple[int, str], str] = {}
    for name, where, *aliases in _rows("services.txt"):
        port, proto = where.split("/")
        for each in (name, *aliases):
            by_name.setdefault((each, proto), int(port))
        by_port.setdefault((int(port), proto), name)
    return by_name, by_port


@cache
def _protocols() -> tuple[dict[str, int], dict[int, str]]:
    by_name: dict[str, int] = {}
    by_number: dict[int, str] = {}
    for name, number, *aliases in _rows("protocols.txt"):
        for each in (name, *aliases):
            by_name.setdefault(each, int(number))
        by_number.setdefault(int(number), name)
    return by_name, by_number


def service_port(name: str, proto: str | None) -> int | None:
    """Port of a service (getservbyname); without ``proto`` the first protocol that has it."""
    table = _services()[0]
    for each in (proto,) if proto else ("tcp", "udp", "sctp", "dccp"):
        if (name, each) in table:
            return table[name, each]
    return None


def service_name(port: int, proto: str) -> str | None:
    """Name of a port (getservbyport), or None."""
    return _services()[1].get((port, proto))


def protocol_number(name: str) -> int | None:
    """Number of a protocol (getprotobyname), or None."""
    return _protocols()[0].get(name)


def protocol_name(number: int, lookup: bool) -> str | None:
    """Name that iptables prints for a protocol (xshared.c: proto_to_name); 0 is "all"."""
    name = CHAIN_NAME.get(number)
    if name is None and number and lookup:
        return _protocols()[1].get(number)
    return name


def any_name(value: int, family: int) -> str:
    """An address as ``-L`` names it: by the names that every machine has; no look-up leaves this program."""
    if value == (0x7F000001 if family == 4 else 1):
        return "localhost"
    name = next((n for n, number in NETWORKS.items() if number == value), None) if family == 4 else None
    return name or show(value, family)


def protocol_by_number(number: int) -> str | None:
    """Name of a protocol (getprotobynumber), or None."""
    return _protocols()[1].get(number)
