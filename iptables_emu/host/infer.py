"""A host for people who gave none: just enough of one for this packet, and every assumption written down."""

from __future__ import annotations

from collections.abc import Iterable

from iptables_emu.host.fib import Route
from iptables_emu.host.host import Address, Host
from iptables_emu.model.address import BITS, show
from iptables_emu.model.ruleset import Ruleset

# networks for documentation, and the host's address in each: 198.51.100.1/24 ..., 2001:db8:a::1/64 ...
SPARE = {
    4: ((0xC6336401, 24), (0xCB007101, 24), (0xC0000201, 24)),
    6: tuple((0x20010DB8 << 96 | subnet << 80 | 1, 64) for subnet in (0xA, 0xB, 0xC)),
}
DEFAULT_IN, DEFAULT_OUT = "eth0", "eth1"


def named_interfaces(ruleset: Ruleset, family: int) -> tuple[list[str], list[str]]:
    """Interfaces that rules name with -i and with -o (wildcards and negations left out), most used first."""
    count: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for _, _, _, rule in ruleset.rules(family):
        spec = rule.spec
        for side, name, inverted in ((0, spec.iif, spec.not_iif), (1, spec.oif, spec.not_oif)):
            if name and not inverted and not name.endswith("+"):
                count[side][name] = count[side].get(name, 0) + 1
    first, second = (sorted(c, key=lambda n: -c[n]) for c in count)
    return first, second


def infer_host(
    ruleset: Ruleset, *, family: int, src: int, dst: int, iif: str = "", oif: str = "", local: bool = False
) -> tuple[Host, str]:
    """The host, and the interface that the packet comes in by ("": it was made there).

    ``-i`` alone means that the packet is for the host, ``-o`` alone that it comes from it, both that it is
    forwarded. ``notes`` of the host says what was assumed.
    """
    host = Host()
    ins, outs = named_interfaces(ruleset, family)
    itself = "lo" in (iif, oif)
    local = local or itself or bool(oif and not iif) or (not iif and _loopback(dst, family))
    for name in _distinct((iif, oif, *ins, *outs)):
        if name not in host.interfaces:
            host.add_interface(name)
    if family == 6:
        host.ipv6 = True
        host.add_address("lo", Address(6, 1, 128))
    host.sysctls.update({"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1})
    if local:
        iif = ""
        by = oif if oif not in ("", "lo") else _pick(host, outs, ins)
        _local(host, family, src, dst, by, to_itself=itself)
    elif iif and oif:
        _forward(host, family, src, dst, iif, oif)
        host.notes.append(f"forwarded from {iif} to {oif}")
    else:
        iif = iif or _pick(host, ins, outs)
        _inbound(host, family, src, dst, iif, _other(host, outs, iif))
    host.notes.append("IP forwarding is on, reverse path filtering is off")
    return host, iif


def _distinct(names: Iterable[str]) -> list[str]:
    return [n for n in dict.fromkeys(names) if n]


def _pick(host: Host, *choices: list[str]) -> str:
    name = next((n for names in choices for n in names if n != "lo"), DEFAULT_IN)
    if name not in host.interfaces:
        host.add_interface(name)
    return name


def _other(host: Host, outs: list[str], iif: str) -> str:
    """Where translated packets would leave: an interface that rules send to, else a made-up one."""
    name = next((n for n in outs if n not in (iif, "lo")), None) or next(
        (n for n in host.interfaces if n not in (iif, "lo")), DEFAULT_OUT if iif != DEFAULT_OUT else "eth2"
    )
    if name not in host.interfaces:
        host.add_interface(name)
    return name


def _address(host: Host, family: int, name: str, value: int) -> None:
    """Give an interface an address, alone."""
    host.add_address(name, Address(family, value, BITS[family]))
    host.notes.append(f"{show(value, family)} is this host's, on {name}")


def _spare_address(host: Host, family: int, name: str, *taken: int) -> None:
    """Give an interface an address of a network that holds none of those taken."""
    base, plen = next(
        (base, plen) for base, plen in SPARE[family] if all((base ^ value) >> BITS[family] - plen for value in taken)
    )
    host.add_address(name, Address(family, base, plen))
    host.notes.append(f"{name} has the address {show(base, family)}/{plen}")


def _route(host: Host, family: int, dev: str, dst: int = 0, plen: int = 0) -> None:
    host.fibs[family].add(Route(family, dst, plen, dev, metric=0 if family == 4 else 1024))
    what = f"{show(dst, family)} is reached" if plen else "everything else is reached"
    host.notes.append(f"{what} out of {dev}")


def _local(host: Host, family: int, src: int, dst: int, oif: str, to_itself: bool) -> None:
    """Made on this host, which has the source address; ``to_itself``: the destination, too."""
    mine = [value for value in ((src, dst) if to_itself else (src,)) if _ownable(value, family)]
    for value in dict.fromkeys(mine):
        _address(host, family, oif, value)
    if not mine:
        _spare_address(host, family, oif, src, dst)
    _route(host, family, oif)
    way = "for the host itself, over lo" if to_itself else f"leaving by {oif} unless it is for the host itself"
    host.notes.insert(0, f"made on this host, {way}")


def _ownable(value: int, family: int) -> bool:
    """Whether an interface may have the address: not the unspecified, loopback, multicast or broadcast ones."""
    return bool(value) and not _loopback(value, family) and value >> BITS[family] - 8 < (224 if family == 4 else 255)


def _loopback(value: int, family: int) -> bool:
    return value >> 24 == 127 if family == 4 else value == 1


def _forward(host: Host, family: int, src: int, dst: int, iif: str, oif: str) -> None:
    if iif != oif:
        _spare_address(host, family, oif, src, dst)
        _route(host, family, iif, src, BITS[family])
    _route(host, family, oif)


def _inbound(host: Host, family: int, src: int, dst: int, iif: str, other: str) -> None:
    """For this host, which has the destination address; what rules send elsewhere leaves by ``other``."""
    host.notes.append(f"came in by {iif}, for this host")
    if _ownable(dst, family):
        _address(host, family, iif, dst)
    if other != iif:
        _spare_address(host, family, other, src, dst)
    if _ownable(src, family):
        _route(host, family, iif, src, BITS[family])
    _route(host, family, other)
