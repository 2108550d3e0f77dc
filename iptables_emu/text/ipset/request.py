"""From the options of a line to what the kernel is asked."""

from __future__ import annotations

from iptables_emu.host.ipset.element import Ext, Request
from iptables_emu.host.ipset.extensions import Options
from iptables_emu.text.ipset.session import Session

BUFFER = 4096  # bytes of one message to the kernel (a page)
_HEADER, _ERROR_HEADER, _ATTR = 20, 20, 4
# bytes of the options' attributes; addresses by family
_SIZES = {
    "ip": 0, "ip_to": 0, "ip2": 0, "ip2_to": 0, "cidr": 8, "cidr2": 8, "port": 8, "port_to": 8, "timeout": 8,
    "proto": 8, "mark": 8, "ether": 12, "packets": 12, "bytes": 12, "skbmark": 12, "skbprio": 8, "skbqueue": 8,
}  # fmt: skip
_TEXTS = frozenset({"name", "nameref", "iface", "adt_comment"})


def request_of(s: Session) -> Request:
    """The request of an add, del or test."""
    d = s.data
    mark, mask = d.get("skbmark", (0, 0))
    ext = Ext(d.get("timeout"), d.get("packets"), d.get("bytes"), d.get("adt_comment", ""), mark, mask,
              d.get("skbprio", 0), d.get("skbqueue", 0))  # fmt: skip
    return Request(
        ip=d.get("ip"), ip_to=d.get("ip_to"), cidr=d.get("cidr"), ip2=d.get("ip2"), ip2_to=d.get("ip2_to"),
        cidr2=d.get("cidr2"), port=d.get("port"), port_to=d.get("port_to"), proto=d.get("proto"), mark=d.get("mark"),
        mac=d.get("ether"), iface=d.get("iface", ""), name=d.get("name", ""), nameref=d.get("nameref", ""),
        before="before" in s.cadt, physdev="physdev" in s.cadt, nomatch="nomatch" in s.cadt,
        wildcard="wildcard" in s.cadt, ext=ext, with_mark=any(k in d for k in ("skbmark", "skbprio", "skbqueue")),
        with_comment="adt_comment" in d,
    )  # fmt: skip


def options_of(s: Session) -> Options:
    """The parameters of a create."""
    d = s.data
    return Options(
        family=s.family if "family" in d else 0, timeout=d.get("timeout"), counters="counters" in s.cadt,
        comments="create_comment" in s.cadt, skbinfo="skbinfo" in s.cadt, forceadd="forceadd" in s.cadt,
        hashsize=d.get("hashsize"), maxelem=d.get("maxelem"), bucketsize=d.get("bucketsize"), initval=d.get("initval"),
        netmask=d.get("netmask"), bitmask=d.get("bitmask"), markmask=d.get("markmask"), size=d.get("size"),
        ip=d.get("ip"), ip_to=d.get("ip_to"), cidr=d.get("cidr"), port=d.get("port"), port_to=d.get("port_to"),
    )  # fmt: skip


def _aligned(size: int) -> int:
    return -(-size // 4) * 4


def first_bytes(setname: str) -> int:
    """Bytes of a message before its first element."""
    return _HEADER + 8 + _ATTR + _aligned(len(setname.encode("utf-8", "surrogateescape")) + 1) + 8 + _ATTR


def element_bytes(s: Session) -> int:
    """Bytes of one element in a message."""
    total = _ATTR + 8  # the nest, the line
    for option, value in s.data.items():
        if option in _TEXTS:
            total += _ATTR + _aligned(len(str(value).encode("utf-8", "surrogateescape")) + 1)
        elif option in _SIZES:
            total += _SIZES[option] or (12 if s.family == 4 else 24)
    return total + (8 if s.cadt else 0)


def fits(used: int, more: int) -> bool:
    """Whether an element still goes into the message (there has to be room for an error report)."""
    return used + more + _ERROR_HEADER <= BUFFER
