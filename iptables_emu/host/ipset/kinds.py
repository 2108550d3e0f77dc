"""The set types: dimensions, families, sizes in the kernel's memory, and how an element is hashed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from iptables_emu.host.ipset.element import Key

Pack = Callable[[Key, int], bytes]


@dataclass(frozen=True, slots=True)
class Kind:
    """One set type. ``revision`` is the newest that kernel and ipset 7.17 share.

    ``families`` are those it can be made with (0: none). ``nets`` counts the networks in an element, ``sizes``
    are the bytes of an element (IPv4, IPv6) and of the type's head without it (``heads``).
    """

    name: str
    revision: int
    dimension: int
    features: frozenset[str]
    families: tuple[int, ...] = (4, 6)
    nets: int = 0
    net0: bool = False
    masked: bool = False  # netmask, bitmask
    marked: bool = False  # markmask
    sizes: tuple[int, int] = (0, 0)
    heads: tuple[int, int] = (0, 0)
    pack: Pack | None = None

    @property
    def nomatch(self) -> bool:
        return "nomatch" in self.features


def _ip(value: int, family: int) -> bytes:
    return value.to_bytes(4 if family == 4 else 16, "big")


def _mac(key: Key) -> bytes:
    return key.mac.to_bytes(6, "big") + b"\0\0"


def _port(key: Key) -> bytes:
    return key.port.to_bytes(2, "big")


def _hash_ip(k: Key, f: int) -> bytes:
    return _ip(k.ip, f)


def _hash_ipmac(k: Key, f: int) -> bytes:
    return _ip(k.ip, f) + _mac(k)


def _hash_ipmark(k: Key, f: int) -> bytes:
    return _ip(k.ip, f) + k.mark.to_bytes(4, "little")


def _hash_ipport(k: Key, f: int) -> bytes:
    return _ip(k.ip, f) + _port(k) + bytes((k.proto, 0))


def _hash_ipportip(k: Key, f: int) -> bytes:
    return _ip(k.ip, f) + _ip(k.ip2, f) + _port(k) + bytes((k.proto, 0))


def _hash_ipportnet(k: Key, f: int) -> bytes:
    return _ip(k.ip, f) + _ip(k.ip2, f) + _port(k) + bytes((k.cidr2 - 1, k.proto))


def _hash_net(k: Key, f: int) -> bytes:
    return _ip(k.ip, f) + bytes((0, 0, 0, k.cidr))


def _hash_netnet(k: Key, f: int) -> bytes:
    data = _ip(k.ip, f) + _ip(k.ip2, f) + bytes((0, 0, k.cidr, k.cidr2))
    return data + bytes(4) if f == 4 else data


def _hash_netport(k: Key, f: int) -> bytes:
    return _ip(k.ip, f) + _port(k) + bytes((k.proto, k.cidr - 1))


def _hash_netportnet(k: Key, f: int) -> bytes:
    return _ip(k.ip, f) + _ip(k.ip2, f) + _port(k) + bytes((k.cidr, k.cidr2, 0, 0, 0, k.proto))


def _hash_netiface(k: Key, f: int) -> bytes:
    return _ip(k.ip, f) + bytes((k.physdev, k.cidr, 0, 1))


def _hash_mac(k: Key, f: int) -> bytes:
    return _mac(k)


def _kind(name: str, revision: int, features: str, **more: object) -> Kind:
    given = frozenset(features.split())
    return Kind(name, revision, len(name.partition(":")[2].split(",")), given, **more)  # type: ignore[arg-type]  # plain keywords


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind("bitmap:ip", 3, "ip", families=(4,), heads=(88, 88)),
        _kind("bitmap:ip,mac", 3, "ip mac", families=(4,), sizes=(8, 8), heads=(80, 80)),
        _kind("bitmap:port", 3, "port", families=(0,), heads=(72, 72)),
        _kind("hash:ip", 6, "ip", masked=True, sizes=(4, 16), heads=(160, 160), pack=_hash_ip),
        _kind("hash:mac", 1, "mac", families=(0,), sizes=(8, 8), heads=(144, 144), pack=_hash_mac),
        _kind("hash:ip,mac", 1, "ip mac", sizes=(12, 24), heads=(144, 144), pack=_hash_ipmac),
        _kind("hash:ip,mark", 3, "ip mark", marked=True, sizes=(8, 20), heads=(144, 144), pack=_hash_ipmark),
        _kind("hash:ip,port", 7, "ip port", masked=True, sizes=(8, 20), heads=(160, 160), pack=_hash_ipport),
        _kind("hash:ip,port,ip", 6, "ip port ip2", sizes=(12, 36), heads=(144, 144), pack=_hash_ipportip),
        _kind("hash:ip,port,net", 8, "ip port ip2 nomatch", nets=1, sizes=(12, 36), heads=(144, 144),
              pack=_hash_ipportnet),
        _kind("hash:net", 7, "ip nomatch", nets=1, sizes=(8, 20), heads=(144, 144), pack=_hash_net),
        _kind("hash:net,net", 4, "ip ip2 nomatch", nets=2, masked=True, sizes=(16, 36), heads=(160, 160),
              pack=_hash_netnet),
        _kind("hash:net,port", 8, "ip port nomatch", nets=1, sizes=(8, 20), heads=(144, 144), pack=_hash_netport),
        _kind("hash:net,port,net", 3, "ip port ip2 nomatch", nets=2, sizes=(16, 40), heads=(144, 144),
              pack=_hash_netportnet),
        _kind("hash:net,iface", 8, "ip iface nomatch", nets=1, net0=True, sizes=(28, 40), heads=(144, 144),
              pack=_hash_netiface),
        _kind("list:set", 3, "name", families=(0,), sizes=(48, 48), heads=(80, 80)),
    )
}  # fmt: skip
