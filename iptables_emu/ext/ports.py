"""What tcp, udp and their like share: port ranges as those extensions write and mean them."""

from __future__ import annotations

from collections.abc import Callable

from iptables_emu.ext.region import Clause, within
from iptables_emu.options import names
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Gathered, OptionContext
from iptables_emu.options.types import service

PortRange = tuple[int, int]
ANY: PortRange = (0, 65535)


def port_range(proto: str) -> Callable[[str, OptionContext], PortRange]:
    """``80``, ``http``, ``1:2``, ``:2``, ``1:`` -> (low, high)."""

    def convert(text: str, cx: OptionContext) -> PortRange:
        low, colon, high = text.partition(":")
        if not colon:
            value = service(text, proto)
            return value, value
        bounds = (service(low, proto) if low else 0, service(high, proto) if high else 0xFFFF)
        if bounds[0] > bounds[1]:
            raise ParameterProblem("invalid portrange (min > max)")
        return bounds

    return convert


def save_ports(option: str, ports: PortRange, inverted: bool) -> str:
    """`` --dport 80:90``, or "" for all ports."""
    if ports == ANY and not inverted:
        return ""
    low, high = ports
    return f"{' !' if inverted else ''} --{option} {low}" + (f":{high}" if low != high else "")


def list_ports(word: str, ports: PortRange, inverted: bool, numeric: bool, proto: str) -> str:
    """`` dpt:ssh``, `` dpts:!80:90``."""
    if ports == ANY and not inverted:
        return ""
    sign, low, high = "!" if inverted else "", *(port_name(p, numeric, proto) for p in ports)
    return f" {word}:{sign}{low}" if ports[0] == ports[1] else f" {word}s:{sign}{low}:{high}"


def port_name(port: int, numeric: bool, proto: str) -> str:
    """The service's name unless numeric."""
    return str(port) if numeric else names.service_name(port, proto) or str(port)


def port_clauses(sports: PortRange, not_sports: bool, dports: PortRange, not_dports: bool) -> list[Clause]:
    """The clauses of --sport and --dport; all ports say nothing."""
    out = []
    for field, option, ports, inverted in (
        ("sport", "sport", sports, not_sports),
        ("dport", "dport", dports, not_dports),
    ):
        if ports != ANY or inverted:
            out.append(within(field, (ports,), inverted, save_ports(option, ports, inverted).strip()))
    return out


def native_ports(ports: PortRange, inverted: bool) -> tuple[PortRange, bool]:
    """What iptables-nft gives back for a port range: ``! :22`` becomes ``23:65535`` (nft's range expression)."""
    low, high = ports
    if inverted and low == 0 and high < 0xFFFF:
        return (high + 1, 0xFFFF), False
    return ports, inverted


def given_ports(given: Gathered, key: str) -> tuple[PortRange | None, bool]:
    """(range, inverted) of an option, None when it is not there: for matches that write all ports out."""
    g = given.get(key)
    return (g.value, g.inverted) if g else (None, False)


def save_given_ports(option: str, ports: PortRange | None, inverted: bool) -> str:
    """The same as :func:`save_ports`, but all ports are written when they were asked for."""
    if ports is None:
        return ""
    low, high = ports
    return f"{' !' if inverted else ''} --{option} {low}" + (f":{high}" if low != high else "")
