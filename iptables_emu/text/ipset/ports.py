"""Reading ports and protocols (libipset: parse.c). Raises Problem."""

from __future__ import annotations

from iptables_emu.options import names
from iptables_emu.options.numbers import U16
from iptables_emu.text.ipset.scan import bare, number, range_of, split, sure
from iptables_emu.text.ipset.session import WARNING, Session
from iptables_emu.text.ipset.tables import icmp_port

TCP, ICMP, ICMPV6 = 6, 1, 58
WITH_PORTS = frozenset({6, 17, 132, 136})

def port(s: Session, option: str, text: str, proto: str) -> None:
    """One port by number or name."""
    value = number(s, text, 0, U16, WARNING)
    if value is None:
        value = _service(s, text, proto)
        if value is None:
            s.warn(f"cannot parse '{text}' as a {proto} port")
            raise s.warning_as_error()
        s.forget_report()
    s.data[option] = value


def _service(s: Session, text: str, proto: str) -> int | None:
    name = bare(s, text)
    by_number = number(s, proto, 0, 255, WARNING)
    known = names.protocol_name(by_number, True) if by_number is not None else proto
    return names.service_port(name, known) if known else None


def _ports(s: Session, option: str, text: str, proto: str) -> None:
    first, last = range_of(s, text)
    if last is not None:
        port(s, "port_to", last, proto)
    port(s, option, first, proto)


def single_port(s: Session, option: str, text: str) -> None:
    port(s, option, text, "tcp")


def protocol(s: Session, text: str) -> int:
    value = number(s, text, 0, 255, WARNING)
    if value is not None:
        return value
    s.forget_report()
    found = names.protocol_number("ipv6-icmp" if text.lower() == "icmpv6" else text)
    if found is None:
        raise s.syntax(f"cannot parse '{text}' as a protocol")
    if not found:
        raise s.syntax(f"Unsupported protocol '{text}'")
    return found


def _icmp(s: Session, option: str, text: str, kind: int) -> None:
    wanted, label, family = (4, "ICMP", "inet") if kind == ICMP else (6, "ICMPv6", "inet6")
    if s.family != wanted:
        # the parser tells it, forgets all it has read, and goes on
        s.syntax(f"Protocol {label} can be used with family {family} only")
        return
    value = icmp_port(wanted, text)
    if value is None:
        parts = split(text, "/")
        if not parts:
            raise s.error(f"Cannot parse {text} as an {label} type/code.")
        value = sure(s, parts[0], 255) << 8 | sure(s, parts[1], 255)
    s.data[option] = value


def proto_port(s: Session, option: str, text: str) -> None:
    """``[PROTO:]PORT`` (or type and code, or 0)."""
    parts = split(text, ":")
    if not parts:
        s.data["proto"] = TCP
        _ports(s, option, text, "tcp")
        return
    kind = s.data["proto"] = protocol(s, parts[0])
    if kind in WITH_PORTS:
        _ports(s, option, parts[1], parts[0])
    elif kind in (ICMP, ICMPV6):
        _icmp(s, option, parts[1], kind)
    elif parts[1] != "0":
        raise s.syntax(f"Protocol {parts[0]} can be used with pseudo port value 0 only.")
    else:
        s.data[option] = 0


def tcp_udp_port(s: Session, option: str, text: str) -> None:
    proto_port(s, option, text)
    if s.data.pop("proto", None) not in (6, 17):
        raise s.syntax("Only protocols TCP and UDP are valid")
