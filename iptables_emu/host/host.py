"""The machine that the rules run on: interfaces, addresses, routes, sysctls, sockets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from iptables_emu.host import address6, extras, fib6, words
from iptables_emu.host.exceptions import Exceptions
from iptables_emu.host.extras import Account, Ipsec, IpvsConnection, Listener
from iptables_emu.host.fib import LOCAL, MAIN, Fib, Flow, Route, full
from iptables_emu.host.fingerprints import Fingerprints
from iptables_emu.host.gateways import device_to
from iptables_emu.host.ipset.sets import IpSets
from iptables_emu.host.locate import Steps
from iptables_emu.host.multipath import Multipath
from iptables_emu.host.sockets import Socket, Sockets
from iptables_emu.host.sysctl import Sysctls
from iptables_emu.model.address import BITS, FULL, family_of, network, prefix_mask, show

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet


class HostError(ValueError):
    """A host description that makes no sense; the text names the key, or ``steps`` do: the way to it."""

    def __init__(self, message: str, steps: Steps = ()) -> None:
        super().__init__(message)
        self.steps = steps

    def below(self, *steps: str | int) -> HostError:
        """The same with a longer way to it."""
        return HostError(str(self), (*steps, *self.steps))


@dataclass(frozen=True, slots=True)
class Address:
    """An address of an interface; ``secondary``: another one of its network came first (IPv4)."""

    family: int
    value: int
    plen: int
    secondary: bool = False

    @property
    def network(self) -> int:
        return self.value & prefix_mask(self.plen, self.family)

    def same_as(self, other: Address) -> bool:
        """Whether an interface cannot have both: IPv4 may have one with several lengths (__inet_insert_ifa)."""
        return (self.family, self.value) == (other.family, other.value) and (
            self.family == 6 or self.plen == other.plen
        )


LOOPBACK = Address(4, 0x7F000001, 8)


@dataclass(slots=True)
class Interface:
    """``kind`` veth, dummy, bridge or loopback: only veth has a wire that frames leave by. ``master`` is the bridge
    that it is a port of."""

    name: str
    mac: bytes
    mtu: int = 1500
    kind: str = "veth"
    arp: bool = False
    up: bool = True
    carrier: bool = True
    group: int = 0
    index: int = 0
    master: str = ""
    addresses: list[Address] = field(default_factory=list)

    @property
    def far_mac(self) -> bytes:
        """The address of the link's far end."""
        return self.mac[:4] + b"\xfe" + self.mac[5:]


class Host:
    """Built from the same words as a scenario's ``host`` (see :meth:`from_dict`)."""

    def __init__(self) -> None:
        self.interfaces: dict[str, Interface] = {"lo": Interface("lo", bytes(6), 65536, "loopback", index=1)}
        self.fibs = {4: Fib(4, self), 6: Fib(6, self)}
        self.multipath = Multipath(self)
        self.exceptions = Exceptions(self)
        self.sysctls = Sysctls()
        self.neighbours: dict[tuple[str, int], bytes] = {}
        self.unreachable: set[tuple[str, int]] = set()  # neighbours that have been asked for, and have not answered
        self.sockets = Sockets()
        self.queues: dict[int, Listener] = {}
        self.cpu: int | None = None  # that handles all packets; None: not known
        self.audit = False  # the kernel writes audit records
        self.fingerprints: Fingerprints | None = None  # None: not known
        self.accounts: dict[str, Account] = {}
        self.cgroups: frozenset[str] = frozenset()  # paths below the root of the cgroup2 tree
        self.ipsec: list[Ipsec] = []
        self.ipvs: list[IpvsConnection] = []
        self.ipsets = IpSets()
        self.ipset_text = ""  # commands of ``ipset restore`` that have still to be carried out
        self.connections = ""  # what ``conntrack -L`` printed there
        self.ipv6 = False
        self.notes: list[str] = []  # what was assumed
        self.add_address("lo", LOOPBACK)

    # -- building ---------------------------------------------------------------------------

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Host:
        """Interfaces, routes, rules, neighbours, sysctls as the scenario format names them. HostError."""
        host = cls()
        try:
            host._interfaces(data.get("interfaces", {}))
            for _ in range(2):  # twice: "all" must not undo what stands before it for one interface
                host.sysctls.update(data.get("sysctls", {}))
            host.ipv6 = any(a.family == 6 for i in host.interfaces.values() for a in i.addresses)
            if host.ipv6 and not any(a.family == 6 and a.value == 1 for a in host.interfaces["lo"].addresses):
                host.add_address("lo", Address(6, 1, 128))
            for number, route in enumerate(data.get("routes", [])):
                try:
                    host.add_route(route)
                except HostError as error:
                    raise error.below("routes", number) from None
            for rule in data.get("rules", []):
                host.add_rule(rule)
            for n in data.get("neighbours", []):
                host.neighbours[n["dev"], network(n["dst"])[1]] = bytes.fromhex(n["mac"].replace(":", ""))
            host.ipset_text = str(data.get("ipsets", ""))
            host._extras(data)
        except (KeyError, TypeError, AttributeError) as error:
            raise HostError(f"host: {error}") from None
        return host

    def _extras(self, data: Mapping[str, Any]) -> None:
        self.queues = {int(k): extras.listener(v) for k, v in data.get("queue", {}).items()}
        self.sockets = Sockets(map(Socket.from_dict, data.get("sockets", [])), known="sockets" in data)
        self.cpu, self.audit = data.get("cpu"), bool(data.get("audit", False))
        self.accounts = {name: extras.account(given) for name, given in data.get("nfacct", {}).items()}
        paths = [str(path).strip("/") for path in data.get("cgroups", [])]
        self.cgroups = frozenset(paths + [socket.cgroup for socket in self.sockets if socket.cgroup])
        self.ipsec = list(map(extras.ipsec, data.get("ipsec", [])))
        self.ipvs = list(map(extras.ipvs, data.get("ipvs", [])))
        if "osf" in data:
            self.fingerprints = Fingerprints.parse(data["osf"])

    def _interfaces(self, data: Mapping[str, Any]) -> None:
        for number, (name, given) in enumerate(data.items(), 1):
            if name == "lo":
                interface = self.interfaces["lo"]
            else:
                mac = bytes.fromhex(given["mac"].replace(":", "")) if "mac" in given else bytes([2, 0, 0, 0, 0, number])
                interface = Interface(
                    name, mac, given.get("mtu", 1500), given.get("type", "veth"), given.get("arp", False),
                    not given.get("down", False), given.get("carrier", True), int(given.get("group", 0)), number + 1,
                )  # fmt: skip
                self.interfaces[name] = interface
            for at, text in enumerate(given.get("addresses", [])):
                address = Address(*network(text))
                if name == "lo" and address == LOOPBACK:
                    continue  # it is there without a word
                try:
                    self.add_address(name, address)
                except HostError as error:
                    raise error.below("interfaces", name, "addresses", at) from None

        for name, given in data.items():
            for port in given.get("ports", []):
                self.interfaces[port].master = name

    def add_interface(self, name: str) -> Interface:
        """Another link with the next MAC address."""
        number = len(self.interfaces)
        self.interfaces[name] = Interface(name, bytes([2, 0, 0, 0, 0, number & 255]), index=number + 1)
        return self.interfaces[name]

    def add_address(self, name: str, address: Address) -> None:
        """Give an interface an address, with the routes that the kernel adds."""
        interface = self.interfaces.get(name)
        if interface is None:
            raise HostError(f"host: no interface {name!r}")
        if any(address.same_as(other) for other in interface.addresses):
            raise HostError(f"{name} has {show(address.value, address.family)} already")
        if address.family == 4:
            first = any(a.family == 4 and a.plen == address.plen and a.network == address.network
                        and not a.secondary for a in interface.addresses)  # fmt: skip
            address = Address(4, address.value, address.plen, secondary=first)
        interface.addresses.append(address)
        if interface.up:
            for route in self._address_routes(interface, address):
                if route not in self.fibs[route.family].tables[route.table]:
                    self.fibs[route.family].add(route)

    def _address_routes(self, interface: Interface, address: Address) -> list[Route]:
        """fib_add_ifaddr and addrconf: the local route, the network, its broadcast address."""
        family, dev, value, plen = address.family, interface.name, address.value, address.plen
        first = self._primary(interface, address).value
        out = [Route(family, value, full(family), dev, src=first, table=LOCAL, type="local")]
        if family == 6:
            if plen < 128:
                out.append(Route(6, address.network, plen, dev, metric=256))
            return out
        loopback = interface.kind == "loopback"
        if address.secondary or (plen == 32):
            return out
        if loopback:
            out.append(Route(4, address.network, plen, dev, src=value, table=LOCAL, type="local"))
        else:
            out.append(Route(4, address.network, plen, dev, src=value))
        if plen < 31:
            broadcast = address.network | FULL[4] >> plen
            out.append(Route(4, broadcast, 32, dev, src=value, table=LOCAL, type="broadcast"))
        return out

    @staticmethod
    def _primary(interface: Interface, address: Address) -> Address:
        """The first address of the same network, which this host's packets to the others come from."""
        if not address.secondary:
            return address
        return next(a for a in interface.addresses if a.family == 4 and not a.secondary
                    and (a.plen, a.network) == (address.plen, address.network))  # fmt: skip

    def remove_address(self, name: str, address: Address) -> bool:
        """Take an address away, with its routes and those that used it as source. False: it had none such."""
        interface = self.interfaces[name]
        mine = next((a for a in interface.addresses if (a.family, a.value, a.plen) == (
            address.family, address.value, address.plen)), None)  # fmt: skip
        if mine is None:
            return False
        gone = [mine]
        if mine.family == 4 and not mine.secondary:
            # promote_secondaries is off: the secondaries of a network go with their primary
            gone += [a for a in interface.addresses if a.family == 4 and a.secondary and a.plen == mine.plen
                     and a.network == mine.network]  # fmt: skip
        fib = self.fibs[mine.family]
        dead = [r for a in gone for r in self._address_routes(interface, a)]
        interface.addresses = [a for a in interface.addresses if a not in gone]
        values = {a.value for a in gone}
        if mine.family == 4:
            dead += [r for r in fib.all() if r.src in values]
            if not any(a.family == 4 for a in interface.addresses):
                dead += [r for r in fib.all() if r.dev == name and r.table != LOCAL]
        fib.remove(iter(dead))
        return True

    def set_down(self, interface: Interface) -> None:
        """A link goes down: its routes go, but those of several ways and of this host's IPv4 addresses; and with them
        its IPv6 addresses (fib_sync_down_dev, addrconf_ifdown)."""
        interface.up = False
        for address in [a for a in interface.addresses if a.family == 6]:
            self.remove_address(interface.name, address)
        for fib in self.fibs.values():
            fib.remove(r for r in list(fib.all())
                       if r.type != "local" and not any(self.usable(hop.dev, fib.family) for hop in r.ways)
                       and r.leaves_by(interface.name))  # fmt: skip

    def set_up(self, interface: Interface) -> None:
        """A link comes up: the routes of its addresses are there again."""
        interface.up = True
        for address in interface.addresses:
            for route in self._address_routes(interface, address):
                if route not in self.fibs[route.family].tables[route.table]:
                    self.fibs[route.family].add(route)

    def add_route(self, given: Mapping[str, Any]) -> None:
        """A route in the scenario's words. Raises HostError, its place that of the gateway within the words."""
        try:
            route = words.route(given, partial(device_to, self))
        except words.WayError as error:
            place = ("nexthops", error.way, "via") if "nexthops" in given else ("via",)
            raise HostError(f"route {given['dst']}: {error}", place) from None
        self.fibs[route.family].add(route)

    def add_rule(self, text: str, family: int = 4) -> None:
        """``ip rule add`` words: ``fwmark 7 lookup 100``, ``from 10.0.0.0/8 table 5``, ``iif eth0 prohibit``."""
        try:
            family, values = words.rule(text, family)
        except words.WordError as error:
            raise HostError(f"host: {error}") from None
        fib = self.fibs[family]
        fib.add_rule(words.complete(values, fib.free_priority()))

    # -- asking -----------------------------------------------------------------------------

    def is_local(self, value: int, family: int) -> bool:
        """Whether the local table has the address."""
        return any(r.type == "local" and r.covers(value) for r in self.fibs[family].tables[LOCAL])

    def group_of(self, dev: str) -> int:
        """The group of an interface, 0 where there is none."""
        interface = self.interfaces.get(dev)
        return interface.group if interface else 0

    def usable(self, dev: str, family: int) -> bool:
        """Whether routes by the interface count: it is up, and has a carrier if the sysctl asks for one."""
        interface = self.interfaces.get(dev)
        if interface is None or not interface.up:
            return False
        return interface.carrier or not self.sysctls.either(family, dev, "ignore_routes_with_linkdown")

    def neighbour_valid(self, dev: str, address: int) -> bool:
        """Whether the link address of a neighbour is known, or nobody has asked for it (fib_good_nh)."""
        return (dev, address) not in self.unreachable

    def owns(self, value: int, family: int) -> str | None:
        """The interface that has the address, or None (inet_lookup_ifaddr)."""
        for interface in self.interfaces.values():
            if any(a.family == family and a.value == value for a in interface.addresses):
                return interface.name
        return None

    def addr_type(self, value: int, family: int, dev: str = "") -> str:
        """The address's type as the addrtype match names it (kernel: inet_dev_addr_type, match_lookup_rt6)."""
        if family == 4:
            if value in (0, 0xFFFFFFFF):
                return "BROADCAST"
            if value >> 28 == 14:
                return "MULTICAST"
            route = self.fibs[4]._in_table(LOCAL, value, "")
            if route is not None and (not dev or dev == route.dev):
                return route.type.upper()
            return "UNICAST"
        found = fib6.lookup(self, value, oif=dev, strict=bool(dev) or address6.needs_interface(value))
        if found.error or found.route is None or (dev and found.route.dev != dev):
            return "UNREACHABLE"
        return "ANYCAST" if fib6.is_anycast(found.route, value) else found.type.upper()

    def primary_address(self, name: str, family: int) -> int | None:
        """The first address of an interface, as it is listed."""
        interface = self.interfaces.get(name)
        if interface is not None and family == 6:
            return next((a.value for a in address6.in_order(interface)), None)
        for address in interface.addresses if interface else ():
            if address.family == family and not address.secondary:
                return address.value
        return None

    def select_source(self, name: str, family: int, towards: int) -> int | None:
        """The source address for a destination out of an interface (inet_select_addr, ipv6_dev_get_saddr)."""
        if family == 6:
            return address6.select_source(self, name, towards)
        interface = self.interfaces.get(name)
        # 127/8 has the scope of the host alone
        have = interface.addresses if interface else []
        mine = [a for a in have if a.family == 4 and not a.secondary and a.value >> 24 != 127]
        for a in mine:
            if (a.value ^ towards) & prefix_mask(a.plen, 4) == 0:
                return a.value
        if mine:
            return mine[0].value
        return next((a.value for i in self.interfaces.values() if i.name not in ("lo", name)
                     for a in i.addresses if a.family == 4 and not a.secondary), None)  # fmt: skip

    def route_to(self, family: int, address: int) -> Route | None:
        """The route of a packet of which nothing but its destination is known (nf_route)."""
        found = self.fibs[4].find(Flow(address)) if family == 4 else fib6.find(self, Flow(address))
        if found.error or found.route is None:
            return None
        return self.exceptions.of(self.multipath.choose(found.route, Flow(address), None), address)

    def masquerade_address(self, pkt: Packet, oif: str) -> int | None:
        """MASQUERADE's address (nf_nat_masquerade.c): the outgoing interface's, seen from the next hop."""
        if pkt.family == 6:
            return self.select_source(oif, 6, pkt.dst)
        return self.select_source(oif, 4, pkt.gateway if pkt.gateway is not None else pkt.dst)


def parse_address(text: str) -> Address:
    """``10.0.0.1/24``. Raises ValueError."""
    family, value, plen = network(text if "/" in text else f"{text}/{BITS[family_of(text)]}")
    return Address(family, value, plen)


__all__ = ["MAIN", "Address", "Host", "HostError", "Interface", "Socket", "parse_address"]
