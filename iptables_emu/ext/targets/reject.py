"""REJECT: drop the packet and tell its sender (kernel: ipt_REJECT.c, ip6t_REJECT.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Gathered, Opt, Place, Target, Verdict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.packet.packet import TCP
from iptables_emu.packet.reject import may_answer, tcp_reset

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

# (name, alias, code of the ICMP error) in the order in which an abbreviation is looked up; None is a RST
TYPES: dict[int, tuple[tuple[str, str, int | None], ...]] = {
    4: (
        ("icmp-net-unreachable", "net-unreach", 0),
        ("icmp-host-unreachable", "host-unreach", 1),
        ("icmp-proto-unreachable", "proto-unreach", 2),
        ("icmp-port-unreachable", "port-unreach", 3),
        ("icmp-net-prohibited", "net-prohib", 9),
        ("icmp-host-prohibited", "host-prohib", 10),
        ("tcp-reset", "tcp-rst", None),
        ("icmp-admin-prohibited", "admin-prohib", 13),
    ),
    6: (
        ("icmp6-no-route", "no-route", 0),
        ("icmp6-adm-prohibited", "adm-prohibited", 1),
        ("icmp6-addr-unreachable", "addr-unreach", 3),
        ("icmp6-port-unreachable", "port-unreach", 4),
        ("tcp-reset", "tcp-reset", None),
        ("icmp6-policy-fail", "policy-fail", 5),
        ("icmp6-reject-route", "reject-route", 6),
    ),
}
# where nft has another word
NFT_NAMES = {"proto-unreachable": "prot-unreachable", "adm-prohibited": "admin-prohibited"}
DEFAULT = {4: "icmp-port-unreachable", 6: "icmp6-port-unreachable"}
UNREACHABLE = {4: 3, 6: 1}  # the ICMP type of its errors


def _type(text: str, cx: OptionContext) -> str:
    """A name or alias, or the beginning of one; the first that fits wins, so "" is the first of all."""
    wanted = text.lower()
    for name, alias, _ in TYPES[cx.base.family]:
        if name.startswith(wanted) or alias.startswith(wanted):
            return name
    if cx.base.family == 4 and ("echo-reply".startswith(wanted) or "echoreply".startswith(wanted)):
        cx.warnings.append("--reject-with echo-reply no longer supported\n")
    raise ParameterProblem(f'unknown reject type "{text}"')


@dataclass(frozen=True, slots=True)
class Reject(Target):
    """``kind`` is the full name of the reject type."""

    NAME: ClassVar[str] = "REJECT"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"filter"})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"INPUT", "FORWARD", "OUTPUT"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("reject-with", _type, metavar="type", help="Kind of the reply: an ICMP error, or tcp-reset"),
    )

    kind: str

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["reject-with"].value if "reject-with" in given else DEFAULT[base.family])

    def save(self, base: Base) -> str:
        return f" --reject-with {self.kind}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" reject-with {self.kind}"

    def translate(self, base: Base) -> str:
        if self.kind == DEFAULT[base.family]:
            return "reject"
        if self.kind == "tcp-reset":
            return "reject with tcp reset"
        protocol, _, kind = self.kind.partition("-")
        return f"reject with {'icmp' if protocol == 'icmp' else 'icmpv6'} type {NFT_NAMES.get(kind, kind)}"

    def refused(self, place: Place) -> str | None:
        """A RST answers TCP only: the rule must say -p tcp."""
        if self.kind == "tcp-reset" and (place.base.proto != TCP or place.base.proto_inverted):
            return "EINVAL"
        return None

    def compile(self, cx: Compile) -> Action:
        code = next(code for name, _, code in TYPES[cx.family] if name == self.kind)

        def act(pkt: Packet, ctx: Context) -> Verdict:
            if code is not None:
                if may_answer(pkt):
                    ctx.path.error(pkt, UNREACHABLE[pkt.family], code)
            # a destination that the route calls broadcast or multicast gets no reset; 0.0.0.0 is this host
            elif pkt.family == 6 or not pkt.dst or ctx.host.addr_type(pkt.dst, 4) not in ("BROADCAST", "MULTICAST"):
                reset = tcp_reset(pkt)
                if reset is not None:
                    ctx.path.send_reset(reset, pkt)
            return Verdict.DROP

        return act


EXTENSIONS = (Reject,)
