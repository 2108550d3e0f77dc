"""From a request to the elements it names: ranges, networks, ports (kernel: the ``uadt`` functions of ip_set_hash_*.c).

Each function yields keys in the kernel's order and raises SetError where the kernel refuses; ``single`` tells
that the request is a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from iptables_emu.host.ipset.element import HOST_BITS, Key, Request, SetError
from iptables_emu.host.ipset.extensions import Extensions
from iptables_emu.model.address import FULL, prefix_mask

ICMP, ICMPV6 = 1, 58
WITH_PORTS = frozenset({6, 17, 132, 136})
ALL = FULL[4]


class HashView(Protocol):
    """What expansion needs of a hash set."""

    family: int
    ext: Extensions
    netmask: int
    bitmask: int
    markmask: int


def mask_range(value: int, bits: int) -> tuple[int, int]:
    """First and last address of the IPv4 network around a value."""
    mask = prefix_mask(bits, 4)
    return value & mask, value & mask | ALL & ~mask


def largest(start: int, end: int) -> tuple[int, int]:
    """(last address, prefix length) of the largest network that begins at ``start`` and fits (ip_set_range_to_cidr).

    The kernel compares as it does sequence numbers: while the end is 2^31 addresses away nothing seems to fit.
    """
    for bits in range(1, 32):
        mask = prefix_mask(bits, 4)
        last = start | ALL & ~mask
        if start & mask == start and end - last & ALL < 0x80000000:
            return last, bits
    return start, 32


def networks(start: int, end: int, *, whole: bool = False) -> Iterator[tuple[int, int]]:
    """(address, prefix length) of the networks that fill a range."""
    while True:
        if whole and start == 0 and end == ALL:
            yield 0, 0
            return
        last, bits = largest(start, end)
        yield start, bits
        if last >= end:
            return
        start = last + 1


def ordered(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a <= b else (b, a)


def _cidr(value: int | None, family: int, *, zero: bool = False) -> int:
    """A prefix length of a network. Raises SetError."""
    bits = HOST_BITS[family] if value is None else value
    if bits > HOST_BITS[family] or not (bits or zero):
        raise SetError("INVALID_CIDR")
    return bits


def _no_range6(r: Request, *, networks_too: bool = False) -> None:
    """What the IPv6 types refuse in an address. Raises SetError."""
    if r.ip_to is not None or (networks_too and r.ip2_to is not None):
        raise SetError("HASH_RANGE_UNSUPPORTED")


def _host6(r: Request) -> None:
    _no_range6(r)
    if r.cidr is not None and r.cidr != 128:
        raise SetError("INVALID_CIDR")


def _hosts(ip: int, r: Request) -> tuple[int, int]:
    """The addresses of FROM-TO or ADDRESS/BITS (IPv4). Raises SetError."""
    if r.ip_to is not None:
        return ordered(ip, r.ip_to)
    if r.cidr is not None:
        return mask_range(ip, _cidr(r.cidr, 4))
    return ip, ip


def _span(ip: int, to: int | None, bits: int) -> tuple[int, int]:
    """The range that networks have to fill (IPv4). Raises SetError."""
    if to is None:
        return mask_range(ip, bits)
    first, last = ordered(ip, to)
    if (first, last) == (0, ALL):
        raise SetError("HASH_RANGE")
    return first, last


def _port(r: Request, family: int) -> tuple[int, int, bool]:
    """(protocol, port, whether it has ports). Raises SetError."""
    proto = r.proto
    if proto is None:
        raise SetError("MISSING_PROTO")
    if proto == 0:
        raise SetError("INVALID_PROTO")
    ports = proto in WITH_PORTS
    keeps = ports or proto == (ICMP if family == 4 else ICMPV6)
    return proto, (r.port or 0) if keeps else 0, ports


def _ports(port: int, r: Request) -> range:
    first, last = ordered(port, port if r.port_to is None else r.port_to)
    return range(first, last + 1)


def hash_ip(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    if h.family == 6:
        _host6(r)
    h.ext.check(r)
    ip = (r.ip or 0) & h.bitmask
    if ip == 0:
        raise SetError("HASH_ELEM")
    if single or h.family == 6:
        yield Key(ip=ip)
        return
    if r.ip_to is not None and ip > r.ip_to == 0:
        raise SetError("HASH_ELEM")
    first, last = _hosts(ip, r)
    for value in range(first, last + 1, 1 << 32 - h.netmask):
        yield Key(ip=value)


def hash_mac(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    h.ext.check(r)
    if not r.mac:
        raise SetError("HASH_ELEM")
    yield Key(mac=r.mac)


def hash_ipmac(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    h.ext.check(r)
    if not r.mac:
        raise SetError("HASH_ELEM")
    yield Key(ip=r.ip or 0, mac=r.mac)


def hash_ipmark(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    if h.family == 6:
        _host6(r)
    h.ext.check(r)
    ip, mark = r.ip or 0, (r.mark or 0) & h.markmask
    if h.family == 4 and mark == 0 and (ip == 0 or (not single and r.ip_to == 0 and ip > 0)):
        raise SetError("HASH_ELEM")
    first, last = (ip, ip) if single or h.family == 6 else _hosts(ip, r)
    for value in range(first, last + 1):
        yield Key(ip=value, mark=mark)


def hash_ipport(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    """hash:ip,port and hash:ip,port,ip."""
    if h.family == 6:
        _host6(r)
    h.ext.check(r)
    ip, ip2 = (r.ip or 0) & h.bitmask, r.ip2 or 0
    if ip == 0 and r.ip2 is None:
        raise SetError("EINVAL")
    proto, port, ports = _port(r, h.family)
    if single:
        yield Key(ip=ip, proto=proto, port=port, ip2=ip2)
        return
    first, last = _hosts(ip, r) if h.family == 4 else (ip, ip)
    span = _ports(port, r) if ports else range(port, port + 1)
    for value in range(first, last + 1):
        for each in span:
            yield Key(ip=value, proto=proto, port=each, ip2=ip2)


def hash_ipportnet(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    if h.family == 6:
        _host6(r)
    h.ext.check(r)
    bits = _cidr(r.cidr2, h.family)
    proto, port, ports = _port(r, h.family)
    ip, ip2 = r.ip or 0, r.ip2 or 0
    plain = Key(ip=ip, proto=proto, port=port, ip2=ip2 & prefix_mask(bits, h.family), cidr2=bits)
    if h.family == 6:
        yield from _by_port(plain, r, single or not ports)
        return
    if single or not (r.cidr is not None or r.ip_to is not None or (ports and r.port_to is not None)
                      or r.ip2_to is not None):  # fmt: skip
        yield plain
        return
    first, last = _hosts(ip, r)
    first2, last2 = _span(ip2, r.ip2_to, bits)
    for value in range(first, last + 1):
        for each in _ports(port, r):
            for net, length in networks(first2, last2):
                yield plain._replace(ip=value, port=each, ip2=net, cidr2=length)


def _by_port(plain: Key, r: Request, single: bool) -> Iterator[Key]:
    """The IPv6 types have ranges of ports only."""
    if single or r.port_to is None:
        yield plain
        return
    for each in _ports(plain.port, r):
        yield plain._replace(port=each)


def hash_net(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    if h.family == 6:
        _no_range6(r)
    h.ext.check(r)
    bits = _cidr(r.cidr, h.family)
    ip = r.ip or 0
    if single or r.ip_to is None:
        yield Key(ip=ip & prefix_mask(bits, h.family), cidr=bits)
        return
    for net, length in networks(*_span(ip, r.ip_to, bits)):
        yield Key(ip=net, cidr=length)


def hash_netiface(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    if h.family == 6:
        _no_range6(r)
    h.ext.check(r)
    bits = _cidr(r.cidr, h.family, zero=True)
    ip = r.ip or 0
    plain = Key(ip & prefix_mask(bits, h.family), bits, iface=r.iface, physdev=r.physdev, wildcard=r.wildcard)
    if single or r.ip_to is None:
        yield plain
        return
    for net, length in networks(*_span(ip, r.ip_to, bits)):
        yield plain._replace(ip=net, cidr=length)


def hash_netnet(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    if h.family == 6:
        _no_range6(r, networks_too=True)
    h.ext.check(r)
    bits, bits2 = _cidr(r.cidr, h.family), _cidr(r.cidr2, h.family)
    ip, ip2 = r.ip or 0, r.ip2 or 0
    if single or h.family == 6 or (r.ip_to is None and r.ip2_to is None):
        key = Key(ip & h.bitmask & prefix_mask(bits, h.family), bits, ip2 & h.bitmask & prefix_mask(bits2, h.family),
                  bits2)  # fmt: skip
        if h.family == 6 and bits == 128 and key.ip == 0:
            raise SetError("HASH_ELEM")
        yield key
        return
    span, span2 = _span(ip, r.ip_to, bits), _span(ip2, r.ip2_to, bits2)
    for net, length in networks(*span):
        for net2, length2 in networks(*span2):
            yield Key(net, length, net2, length2)


def hash_netport(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    if h.family == 6:
        _no_range6(r)
    h.ext.check(r)
    bits = _cidr(r.cidr, h.family)
    proto, port, ports = _port(r, h.family)
    ip = r.ip or 0
    plain = Key(ip & prefix_mask(bits, h.family), bits, proto=proto, port=port)
    if h.family == 6:
        yield from _by_port(plain, r, single or not ports)
        return
    if single or not (r.ip_to is not None or (ports and r.port_to is not None)):
        yield plain
        return
    for net, length in networks(*_span(ip, r.ip_to, bits)):
        for each in _ports(port, r):
            yield plain._replace(ip=net, cidr=length, port=each)


def hash_netportnet(h: HashView, r: Request, single: bool) -> Iterator[Key]:
    if h.family == 6:
        _no_range6(r, networks_too=True)
    h.ext.check(r)
    bits, bits2 = _cidr(r.cidr, h.family, zero=True), _cidr(r.cidr2, h.family, zero=True)
    proto, port, ports = _port(r, h.family)
    ip, ip2, f = r.ip or 0, r.ip2 or 0, h.family
    plain = Key(ip & prefix_mask(bits, f), bits, ip2 & prefix_mask(bits2, f), bits2, proto, port)
    if f == 6:
        yield from _by_port(plain, r, single or not ports)
        return
    if single or not (r.ip_to is not None or (ports and r.port_to is not None) or r.ip2_to is not None):
        yield plain
        return
    span, span2 = _span(ip, r.ip_to, bits), _span(ip2, r.ip2_to, bits2)
    for net, length in networks(*span, whole=True):
        for each in _ports(port, r):
            for net2, length2 in networks(*span2, whole=True):
                yield plain._replace(ip=net, cidr=length, port=each, ip2=net2, cidr2=length2)
