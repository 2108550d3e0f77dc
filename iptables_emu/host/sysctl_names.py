"""Which sysctls there are: a misspelt name would be taken for one that nothing here reads."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from importlib import resources

from iptables_emu.host.schema import Check, Place, SchemaError
from iptables_emu.options.memo import memo

# of other rooms than the network's nothing is read here
OTHER_ROOMS = ("abi", "crypto", "debug", "dev", "fs", "kernel", "sunrpc", "user", "vm")
# of protocols and modules that few kernels have
OTHER_NETS = ("ax25", "dccp", "ieee802154", "iucv", "llc", "mpls", "mptcp", "netrom", "phonet", "rds", "rose", "sctp",
              "smc", "tipc", "tls", "x25", "ipv4.vs", "ipv4.netfilter", "netfilter.nf_log")  # fmt: skip


@memo()
def names() -> frozenset[str]:
    """The sysctls of the network, ``*`` in place of an interface."""
    return frozenset(resources.files("iptables_emu.data").joinpath("sysctls.txt").read_text().split())


def check_names(interfaces: Collection[str]) -> Check:
    """The name of a sysctl of a host with these interfaces."""

    def check(value: object, place: Place) -> None:
        name = str(value)
        if name.partition(".")[0] in OTHER_ROOMS or name.startswith(tuple(f"net.{net}." for net in OTHER_NETS)):
            return
        shape, interface = _shape(name)
        if shape not in names():
            raise _unheard_of(name, shape, interface, place)
        if interface and interface not in (*interfaces, "all", "default", "lo"):
            raise place.key(name).error(f"the host has no interface {interface!r}")

    return check


def _unheard_of(name: str, shape: str, interface: str, place: Place) -> SchemaError:
    near = difflib.get_close_matches(shape, names(), 1, 0.8)
    hint = f"; {near[0].replace('*', interface or '*')} is meant?" if near else ""
    return place.key(name).error(f"there is no such sysctl{hint}")


def _shape(name: str) -> tuple[str, str]:
    """(the name with ``*`` for an interface, the interface or ""); the interface's name may hold dots."""
    for room in ("conf", "neigh"):
        head, found, rest = name.partition(f".{room}.")
        interface, dot, key = rest.rpartition(".")
        if found and dot:
            return f"{head}.{room}.*.{key}", interface
    return name, ""
