"""What SNAT, DNAT, MASQUERADE and REDIRECT share: the range of addresses and ports (libxtables: libxt_NAT.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.conntrack.nat_range import NatRange
from iptables_emu.ext.api import Base, Gathered, Target
from iptables_emu.model import address
from iptables_emu.options import names
from iptables_emu.options.numbers import U16, scan
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

Span = tuple[int, int]
Ports = tuple[int, int, int | None]  # first, last, the base of a shifted range
# protocols with something that can be called a port
WITH_PORTS = frozenset({1, 6, 17, 33, 132})


def ports(text: str, cx: OptionContext) -> Ports:
    """``80``, ``ftp``, ``1000-2000``, ``1000-2000/3000``."""
    if cx.base.proto not in WITH_PORTS:
        raise ParameterProblem("Need TCP, UDP, SCTP or DCCP with port specification")
    first = _port(text)
    if first is None:
        raise ParameterProblem(f"Port `{text}' not valid")
    low, rest = first
    if not rest:
        return low, low, None
    if rest[0] == ":":
        raise ParameterProblem("Invalid port:port syntax - use dash")
    if rest[0] != "-":
        raise ParameterProblem(f"Garbage after port value: `{rest}'")
    second = scan(rest[1:], 0, U16)
    if second is None:
        raise ParameterProblem(f"Port `{rest[1:]}' not valid")
    high, end = second
    if high < low:
        raise ParameterProblem(f"Port range `{rest[1:]}' funky")
    if not end:
        return low, high, None
    if end[0] != "/":
        raise ParameterProblem(f"Garbage after port range: `{end}'")
    third = _port(end[1:], 1)
    if third is None:
        raise ParameterProblem(f"Port `{end[1:]}' not valid")
    return low, high, third[0]


def _port(text: str, least: int = 0) -> tuple[int, str] | None:
    """(number, what follows it), or the number of a service."""
    found = scan(text, least, U16)
    if found is not None:
        return found
    service = names.service_port(text, None)
    return None if service is None else (service, "")


def to(text: str, cx: OptionContext) -> tuple[Span | None, Ports | None]:
    """``[ADDR[-ADDR]][:PORTS]``; IPv6 addresses stand in brackets when ports follow."""
    family = cx.base.family
    open_at = text.find("[")
    if open_at < 0:
        start, end = 0, len(text)
        # one colon begins the ports, two make it an IPv6 address
        colon = text.find(":") if text.count(":") == 1 else -1
    else:
        start, end = open_at + 1, text.find("]", open_at + 1)
        if end < 0 or family == 4:
            raise ParameterProblem("Invalid address format")
        colon = text.find(":", end + 1)
    given = None
    if colon >= 0:
        given = ports(text[colon + 1 :], cx)
        if colon in (0, 2):  # libxt_NAT takes any colon in third place for that of "[]:"
            return None, given
        end = min(end, colon)
    low, dash, high = text[start:end].partition("-")
    first = _address(low, family)
    return (first, _address(high, family) if dash else first), given


def _address(text: str, family: int) -> int:
    value = address.parse_plain(text, family)
    if value is None:
        raise ParameterProblem(f'Bad IP address "{text}"')
    return value


@dataclass(frozen=True, slots=True)
class NatTarget(Target):
    """A range and its flags; ``base`` None means that the range is not shifted."""

    addresses: Span | None = None
    ports: Span | None = None
    base: int | None = None
    random: bool = False
    random_fully: bool = False
    persistent: bool = False

    @classmethod
    def gather(cls, given: Gathered, addresses: Span | None, span: Ports | None, *, keeps_base: bool = False) -> Self:
        """``keeps_base``: the revision has room for the base of a shifted range (else the kernel gets 0)."""
        base = None if span is None or span[2] is None else span[2] if keeps_base else 0
        return cls(
            addresses,
            None if span is None else (span[0], span[1]),
            base,
            "random" in given,
            "random-fully" in given,
            "persistent" in given,
        )

    def _range(self, family: int, with_colon: bool) -> str:
        out = ""
        if self.addresses is not None:
            low, high = self.addresses
            out = address.show(low, family) + (f"-{address.show(high, family)}" if low != high else "")
            if family == 6 and self.ports is not None:
                out = f"[{out}]"
        if self.ports is not None:
            out += ":" if out or with_colon else ""
            out += str(self.ports[0]) + (f"-{self.ports[1]}" if self.ports[1] != self.ports[0] else "")
            out += "" if self.base is None else f"/{self.base}"
        return out

    def show(self, option: str, flag: str, family: int, with_colon: bool = True) -> str:
        """The range behind ``option`` and the flags behind ``flag``, each with a blank before it."""
        out = self._range(family, with_colon)
        out = f" {option}{out}" if out else ""
        flags = ((self.random, "random"), (self.random_fully, "random-fully"), (self.persistent, "persistent"))
        return out + "".join(f" {flag}{name}" for on, name in flags if on)

    def translate(self, base: Base) -> str | None:
        if self.base is not None:
            return None
        to = self._range(base.family, with_colon=True)
        rows = (self.random, "random"), (self.random_fully, "fully-random"), (self.persistent, "persistent")
        flags = ",".join(name for on, name in rows if on)
        return self.NAME.lower() + (f" to {to}" if to else "") + (f" {flags}" if flags else "")

    def range(self, where: int | None = None) -> NatRange:
        """The range for conntrack, with one address instead when ``where`` is given."""
        low, high = (where, where) if where is not None else self.addresses or (None, None)
        first, last = self.ports or (None, None)
        return NatRange(low, high, first, last, self.base, self.random, self.random_fully, self.persistent)

    @staticmethod
    def refuse_shift(span: Ports | None) -> None:
        """Raises ParameterProblem for a shifted range."""
        if span is not None and span[2] is not None:
            raise ParameterProblem("Shifted portmap ranges not supported with this kernel")


@dataclass(frozen=True, slots=True)
class HostNatTarget(NatTarget):
    """To an address of the host (MASQUERADE, REDIRECT): ``addresses`` is never set, the ports may be."""

    LISTED_PORTS: ClassVar[str]  # what stands before the ports in -L

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls.gather(given, None, given["to-ports"].value if "to-ports" in given else None)

    def save(self, base: Base) -> str:
        return self.show("--to-ports ", "--", base.family, with_colon=False)

    def listing(self, numeric: bool, base: Base) -> str:
        return self.show(self.LISTED_PORTS, "", base.family, with_colon=False)
