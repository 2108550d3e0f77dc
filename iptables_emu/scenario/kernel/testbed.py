"""The scenario's host in a namespace, with a second namespace at the far end of its links.

Links have no ARP or neighbour discovery unless asked for: every address on a link can be reached, and no
packets of the kernel's own appear.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import socket
import struct
from pathlib import Path
from typing import Any, Final

from iptables_emu.host.words import family_of_route
from iptables_emu.scenario.kernel.namespace import Namespace
from iptables_emu.scenario.kernel.process import KernelError, run_command

FENCE_LINK: Final = "ipsimfence"
SIOCETHTOOL: Final = 0x8946
# linux/ethtool.h: checksum rx and tx, scatter-gather, TSO, GSO, GRO
OFFLOADS: Final = (0x15, 0x17, 0x19, 0x1F, 0x24, 0x2C)

HOST_SYSCTLS: Final = {
    "net.ipv4.ip_forward": 0,
    "net.ipv4.conf.all.rp_filter": 0,
    "net.ipv4.conf.default.rp_filter": 0,
    # or a second ICMP error within a second would be lost; icmp_ratelimit=0 would sometimes
    # empty the bucket that "no route" errors share
    "net.ipv4.icmp_ratemask": 0,
    "net.ipv4.ip_local_port_range": "32768 60999",
    "net.ipv6.icmp.ratelimit": 0,
    "net.ipv6.conf.all.forwarding": 0,
    # no autoconfiguration, so that IPv6 is quiet
    "net.ipv6.conf.default.addr_gen_mode": 1,
    "net.ipv6.conf.default.accept_ra": 0,
    "net.ipv6.conf.default.dad_transmits": 0,
    "net.ipv6.conf.default.accept_dad": 0,
    "net.ipv6.conf.default.router_solicitations": 0,
}
LOOPBACK: Final = (("lo", "127.0.0.1/8"), ("lo", "::1/128"))  # addresses that are there without a word
ONE_QUEUE: Final = "numtxqueues 1 numrxqueues 1"
# a bridge that snoops sends reports of its own
LINK_TYPES: Final = {"dummy": "dummy", "bridge": "bridge mcast_snooping 0"}
ROUTE_WORDS: Final = ("src", "table", "scope", "metric", "realm")


class Testbed:
    """Two namespaces, ``host`` set up as the scenario says and ``far``, with a link per interface between them."""

    def __init__(self, host: dict[str, Any], ipv6: bool):
        self.interfaces: dict[str, dict[str, Any]] = host.get("interfaces", {})
        addresses = [a for config in self.interfaces.values() for a in config.get("addresses", [])]
        self.ipv6 = ipv6 or any(":" in a for a in addresses)
        with contextlib.ExitStack() as undo:
            self.host = Namespace("host")
            undo.callback(self.host.delete)
            self.far = Namespace("far")
            undo.callback(self.far.delete)
            self._build(host)
            undo.pop_all()

    def close(self) -> None:
        """Delete both namespaces."""
        self.host.delete()
        self.far.delete()

    def links(self) -> list[str]:
        """The interfaces that lead to the far namespace."""
        return [n for n, config in self.interfaces.items() if n != "lo" and config.get("type", "veth") == "veth"]

    def has_carrier(self, interface: str) -> bool:
        """Whether the far end of a link is up."""
        return bool(self.interfaces.get(interface, {}).get("carrier", True))

    def mac(self, interface: str) -> bytes:
        """The address of the host's end of a link: as given, or 02:00:00:00:00 and the number of the interface."""
        given = self.interfaces.get(interface, {}).get("mac")
        if given:
            return bytes.fromhex(given.replace(":", ""))
        number = list(self.interfaces).index(interface) + 1 if interface in self.interfaces else 255
        return bytes([2, 0, 0, 0, 0, number])

    def far_mac(self, interface: str) -> bytes:
        """The address of the far end of a link: the same with fe in the fifth byte."""
        near = self.mac(interface)
        return near[:4] + b"\xfe" + near[5:]

    def _build(self, host: dict[str, Any]) -> None:
        with self.far.entered():
            write_sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        with self.host.entered():
            for name, value in HOST_SYSCTLS.items():
                write_sysctl(name, value)
            for which in ("default", "all"):
                write_sysctl(f"net.ipv6.conf.{which}.disable_ipv6", 0 if self.ipv6 else 1)
            _ip_batch(self._link_commands())
            for name in (*self.links(), FENCE_LINK):
                disable_offloads(name)
            write_sysctl(f"net.ipv6.conf.{FENCE_LINK}.disable_ipv6", 1)
            sysctls = host.get("sysctls", {})
            for name, value in sysctls.items():
                write_sysctl(name, value)
            _ip_batch(self._address_commands(host))
            rules6 = [f"rule add {rule[3:]}" for rule in host.get("rules", []) if rule.startswith("-6 ")]
            _ip_batch(rules6, "-6")
            for name, value in sysctls.items():
                write_sysctl(name, value)  # again, for "all" changes those of single interfaces
            if host.get("ipsets"):
                run_command(["ipset", "restore"], host["ipsets"])
        with self.far.entered():
            _ip_batch([f"link set dev {name} up" for name in (*self.links(), FENCE_LINK) if self.has_carrier(name)])
            for name in (*self.links(), FENCE_LINK):
                disable_offloads(name)

    def _link_commands(self) -> list[str]:
        commands = ["link set lo up"]
        for name in (*(n for n in self.interfaces if n != "lo"), FENCE_LINK):
            config = self.interfaces.get(name, {})
            size = f"mtu {config['mtu']}" if "mtu" in config else ""
            near, far = self.mac(name).hex(":"), self.far_mac(name).hex(":")
            if config.get("type", "veth") == "veth":
                # with one queue the sending side makes no flow hash, which multipath routes would take over
                peer = f"type veth peer name {name} address {far} {size} {ONE_QUEUE} netns {self.far.name}"
                commands.append(f"link add name {name} address {near} {size} {ONE_QUEUE} {peer}")
            else:
                commands.append(f"link add name {name} address {near} {size} type {LINK_TYPES[config['type']]}")
            arp, state = "on" if config.get("arp") else "off", "down" if config.get("down") else "up"
            commands.append(f"link set dev {name} arp {arp} {state} group {config.get('group', 0)}")
        return commands

    @property
    def has_bridges(self) -> bool:
        return any(config.get("ports") for config in self.interfaces.values())

    def join_bridges(self) -> None:
        """Give bridges their ports, which then see no frames of their own any more."""
        with self.host.entered():
            for bridge, config in self.interfaces.items():
                for port in config.get("ports", []):
                    run_command(["ip", "link", "set", "dev", port, "master", bridge])

    def _address_commands(self, host: dict[str, Any]) -> list[str]:
        commands = [
            f"addr add {address} dev {name}" + (" nodad" if ":" in address else "")
            for name, config in self.interfaces.items()
            for address in config.get("addresses", [])
            if (name, address) not in LOOPBACK
        ]
        for route in host.get("routes", []):
            commands.append(f"route add {route.get('type', '')} {route['dst']} {_route_words(route)}")
        commands += [f"rule add {rule}" for rule in host.get("rules", []) if not rule.startswith("-6 ")]
        commands += [
            f"neigh replace {n['dst']} lladdr {n['mac']} dev {n['dev']} nud permanent"
            for n in host.get("neighbours", [])
        ]
        return commands


def _route_words(route: dict[str, Any]) -> str:
    """What ``ip route add`` takes after the destination; nexthops last."""
    words = [f"{word} {route[word]}" for word in ROUTE_WORDS if word in route]
    if "tos" in route:
        words.append(f"tos {route['tos']:#x}")
    if "mtu" in route:
        words.append(f"mtu {'lock ' if route.get('mtu_lock') else ''}{route['mtu']}")
    six = family_of_route(route) == 6
    for hop in route.get("nexthops", ()):
        words.append(f"nexthop {_way_words(hop, six)} weight {hop.get('weight', 1)}")
    return " ".join([_way_words(route, six), *words])


def _way_words(way: dict[str, Any], six: bool) -> str:
    via = f"via {'inet6 ' if ':' in way['via'] and not six else ''}{way['via']}" if "via" in way else ""
    dev = f"dev {way['dev']}" if "dev" in way else ""
    return f"{via} {dev} {'onlink' if way.get('onlink') else ''}"


def _ip_batch(commands: list[str], *options: str) -> None:
    if commands:
        run_command(["ip", *options, "-batch", "-"], "".join(f"{command}\n" for command in commands))


def write_sysctl(name: str, value: object) -> None:
    """Set one sysctl of this thread's namespace; KernelError when there is none, or it refuses the value."""
    head, per_interface, rest = name.partition(".conf.")
    if per_interface:  # the name of an interface may hold dots
        interface, _, key = rest.rpartition(".")
        path = f"{head.replace('.', '/')}/conf/{interface}/{key}"
    else:
        path = name.replace(".", "/")
    try:
        Path("/proc/sys", path).write_text(str(value))
    except OSError as error:
        raise KernelError(f"sysctl {name}={value}: {error.strerror}") from None


def disable_offloads(interface: str) -> None:
    """Let the kernel compute checksums and segments itself, so that frames on the wire are complete."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for command in OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
            request = struct.pack("16sP", interface.encode(), ctypes.addressof(value))
            with contextlib.suppress(OSError):  # some are fixed
                fcntl.ioctl(sock, SIOCETHTOOL, request)
