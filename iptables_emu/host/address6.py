"""IPv6 addresses: their kinds and scopes, the groups a host joins, and the choice of a source (kernel: addrconf.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from iptables_emu.model.address import prefix_mask

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iptables_emu.host.host import Address, Host, Interface

INTERFACE_LOCAL, LINK_LOCAL, SITE_LOCAL, GLOBAL = 1, 2, 5, 14
LOOPBACK: Final = 1
SOLICITED_NODE: Final = 0xFF0200000000000000000001FF << 24
ALL_NODES: Final = (0xFF01 << 112 | 1, 0xFF02 << 112 | 1)
ALL_ROUTERS: Final = (0xFF01 << 112 | 2, 0xFF02 << 112 | 2, 0xFF05 << 112 | 2)
# the default policy table (addrlabel.c): prefix, its length, label; longer prefixes first
LABELS: Final = (
    (1, 128, 0), (0xFFFF << 32, 96, 4), (0, 96, 3), (0x20010000 << 96, 32, 6), (0x20010010 << 96, 28, 7),
    (0x2002 << 112, 16, 2), (0x3FFE << 112, 16, 12), (0xFEC0 << 112, 10, 11), (0xFC00 << 112, 7, 5), (0, 0, 1),
)  # fmt: skip
ORCHID: Final = 0x20010010 >> 4
NOT_ENOUGH: Final = -128


def is_multicast(value: int) -> bool:
    return value >> 120 == 0xFF


def is_link_local(value: int) -> bool:
    return value >> 118 == 0x3FA


def is_mapped(value: int) -> bool:
    """An IPv4 address in IPv6's clothes, ::ffff:0:0/96."""
    return value >> 32 == 0xFFFF


def needs_interface(value: int) -> bool:
    """Whether the address means something on one link only (rt6_need_strict)."""
    return is_multicast(value) or is_link_local(value) or value == LOOPBACK


def scope(value: int) -> int:
    """The scope of an address (ipv6_addr_src_scope); -1 for the unspecified one."""
    if is_multicast(value):
        return value >> 112 & 15
    if is_link_local(value) or value == LOOPBACK:
        return LINK_LOCAL
    if value >> 118 == 0x3FB:
        return SITE_LOCAL
    return GLOBAL if value else -1


def label(value: int) -> int:
    """The address's label in the policy table."""
    return next(number for prefix, plen, number in LABELS if not (value ^ prefix) & prefix_mask(plen, 6))


def in_order(interface: Interface) -> list[Address]:
    """An interface's IPv6 addresses as the kernel lists them: wider scopes first, then the newest."""
    mine = [a for a in reversed(interface.addresses) if a.family == 6]
    return sorted(mine, key=lambda a: -scope(a.value))


def redirect_address(host: Host, dev: str, dst: int) -> int | None:
    """REDIRECT's address of an interface, of the scope of the packet's destination (nf_nat_redirect_ipv6)."""
    interface = host.interfaces.get(dev)
    wanted = narrow_scope(dst)
    for address in in_order(interface) if interface else ():
        if not is_mapped(address.value) and (not wanted or narrow_scope(address.value) & wanted):
            return address.value
    return None


def narrow_scope(value: int) -> int:
    """The bits of ipv6_addr_scope: loopback, link, site, IPv4-compatible; none for all the rest."""
    if is_multicast(value):
        return {1: 0x10, 2: 0x20, 5: 0x40}.get(value >> 112 & 15, 0)
    if value == LOOPBACK:
        return 0x10
    if is_link_local(value):
        return 0x20
    if value >> 118 == 0x3FB:
        return 0x40
    return 0x80 if value and value >> 32 == 0 else 0


def select_source(host: Host, dev: str, towards: int) -> int | None:
    """The best source address (ipv6_dev_get_saddr, RFC 6724); ``dev`` is the outgoing interface, "" for any."""
    wanted = scope(towards)
    alone = bool(dev) and (is_multicast(towards) or wanted <= LINK_LOCAL)
    best: tuple[tuple[int, ...], int] | None = None
    for interface in host.interfaces.values():
        if alone and interface.name != dev:
            continue
        for address in in_order(interface):
            rank = _rank(address, towards, wanted, not dev or interface.name == dev)
            if best is None or rank > best[0]:
                best = rank, address.value
    return best[1] if best else None


def _rank(address: Address, towards: int, wanted: int, on_dev: bool) -> tuple[int, ...]:
    """The rules in their order, each as a number of which more is better."""
    value = address.value
    reach = scope(value)
    return (
        value == towards,
        -reach if reach >= wanted else reach + NOT_ENOUGH,
        on_dev,
        label(value) == label(towards),
        (value >> 100 == ORCHID) is (towards >> 100 == ORCHID),
        min(128 - (value ^ towards).bit_length(), address.plen),
    )


def anycast(host: Host, value: int, dev: str = "") -> bool:
    """Whether a forwarding interface answers to it as a subnet router (addrconf_join_anycast)."""
    return any(
        a.family == 6 and a.network == value != 0 and a.plen < 127
        for i in host.interfaces.values()
        if i.kind != "loopback" and (not dev or i.name == dev) and host.sysctls.interface(6, i.name, "forwarding")
        for a in i.addresses
    )


def has_joined(host: Host, name: str, group: int) -> bool:
    """Whether an interface takes packets for a multicast group (ipv6_chk_mcast_addr)."""
    interface = host.interfaces.get(name)
    if interface is None or not interface.up:
        return False
    if group in ALL_NODES:
        return True
    if interface.kind == "loopback":
        return False
    forwards = bool(host.sysctls.interface(6, name, "forwarding"))
    if group in ALL_ROUTERS:
        return forwards
    return interface.arp and group & ~0xFFFFFF == SOLICITED_NODE and group & 0xFFFFFF in _solicited(interface, forwards)


def _solicited(interface: Interface, forwards: bool) -> Iterable[int]:
    for a in interface.addresses:
        if a.family == 6:
            yield a.value & 0xFFFFFF
            if forwards and a.plen < 127:
                yield a.network & 0xFFFFFF
