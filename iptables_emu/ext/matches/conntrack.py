"""conntrack: what the connection tracking knows of a packet (kernel: xt_conntrack.c, revision 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Region, Test
from iptables_emu.ext.ct_state import DNAT_BIT, SNAT_BIT, nft_states, show_states, state_boxes, states_option
from iptables_emu.ext.region import Clause, masked, within
from iptables_emu.ext.words import Word, word_list
from iptables_emu.model.address import FULL, mask_bits, show
from iptables_emu.options.names import any_name
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Given, OptionContext
from iptables_emu.options.types import host_mask, port_range, protocol_option, uint_range
from iptables_emu.packet.ct_fields import INVALID, UNTRACKED

if TYPE_CHECKING:
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

CONFIRMED = 8  # IPS_CONFIRMED
STATUSES: tuple[Word, ...] = (("NONE", 0), ("EXPECTED", 1), ("SEEN_REPLY", 2), ("ASSURED", 4), ("CONFIRMED", CONFIRMED))
ADDRESSES = ("ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst")
PORTS = ("ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport")


def _protocol(text: str, cx: OptionContext) -> int:
    number = protocol_option(text, cx)
    if number == 0:
        raise ParameterProblem(
            "conntrack: condition would always match protocol" if cx.inverted
            else "conntrack: rule would never match protocol"
        )  # fmt: skip
    return number


def _statuses(text: str, cx: OptionContext) -> int:
    def bad(rest: str, last: bool) -> NoReturn:
        raise ParameterProblem(f'Bad ctstatus "{rest}"')

    return word_list(text, STATUSES, bad)


def _direction(text: str, cx: OptionContext) -> str:
    if text.upper() not in ("ORIGINAL", "REPLY"):
        raise ParameterProblem(f'conntrack: Bad value for "--ctdir" option: "{text}"')
    return text.upper()


@dataclass(frozen=True, slots=True)
class Conntrack(Match):
    """``states`` 0, ``proto`` 0, ``status`` -1, ``expire`` None and ``direction`` "" ask nothing. ``addresses``
    holds (option, address, mask, inverted), ``ports`` (option, low, high, inverted), both in the order saved."""

    NAME: ClassVar[str] = "conntrack"
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("ctstate", states_option("ctstate", nat=True), invert=True, metavar="state[,...]",
            help="states to match: INVALID, ESTABLISHED, NEW, RELATED, UNTRACKED, SNAT, DNAT"),
        Opt("ctproto", _protocol, invert=True, metavar="proto", help="protocol, by number or name"),
        Opt("ctorigsrc", host_mask, invert=True, metavar="address[/mask]", help="original source"),
        Opt("ctorigdst", host_mask, invert=True, metavar="address[/mask]", help="original destination"),
        Opt("ctreplsrc", host_mask, invert=True, metavar="address[/mask]", help="reply source"),
        Opt("ctrepldst", host_mask, invert=True, metavar="address[/mask]", help="reply destination"),
        Opt("ctstatus", _statuses, invert=True, ident=10, metavar="status[,...]",
            help="status bits: NONE, EXPECTED, SEEN_REPLY, ASSURED, CONFIRMED"),
        Opt("ctexpire", uint_range(32), invert=True, ident=11, metavar="time[:time]",
            help="seconds the entry has left to live"),
        Opt("ctorigsrcport", port_range, invert=True, ident=6, metavar="port[:port]", help="original source port"),
        Opt("ctorigdstport", port_range, invert=True, ident=7, metavar="port[:port]", help="original destination port"),
        Opt("ctreplsrcport", port_range, invert=True, ident=8, metavar="port[:port]", help="reply source port"),
        Opt("ctrepldstport", port_range, invert=True, ident=9, metavar="port[:port]", help="reply destination port"),
        Opt("ctdir", _direction, ident=12, metavar="direction", help="direction of the packet: ORIGINAL or REPLY"),
    )  # fmt: skip

    states: int = 0
    not_states: bool = False
    proto: int = 0
    not_proto: bool = False
    addresses: tuple[tuple[str, int, int, bool], ...] = ()
    ports: tuple[tuple[str, int, int, bool], ...] = ()
    status: int = -1
    not_status: bool = False
    expire: tuple[int, int] | None = None
    not_expire: bool = False
    direction: str = ""

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("conntrack: At least one option is required")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        def of(key: str, missing: object) -> tuple[Any, bool]:
            g = given.get(key) or Given(missing)
            return g.value, g.inverted

        times, not_expire = of("ctexpire", None)
        return cls(
            *of("ctstate", 0),
            *of("ctproto", 0),
            tuple((key, *given[key].value, given[key].inverted) for key in ADDRESSES if key in given),
            tuple((key, *given[key].value, given[key].inverted) for key in PORTS if key in given),
            *of("ctstatus", -1),
            (times[0], times[-1]) if times else None,
            not_expire,
            of("ctdir", "")[0],
        )

    # -- text ------------------------------------------------------------------------------------

    def save(self, base: Base) -> str:
        return "".join(self._items("--", True, base.family))

    def listing(self, numeric: bool, base: Base) -> str:
        return "".join(self._items("", numeric, base.family))

    def translate(self, base: Base) -> str:
        return " ".join(self._nft_words(base))

    def _nft_words(self, base: Base) -> Iterator[str]:
        if self.direction:
            yield f"ct direction {self.direction.lower()}"
        if self.proto:
            side = "reply" if self.direction == "REPLY" else "original"
            yield f"ct {side} protocol {nft.unless(self.not_proto)}{self.proto}"
        if nat := self.states & (SNAT_BIT | DNAT_BIT):  # upstream asks the wrong flag whether that is inverted
            yield f"ct status {'!=' if self.not_status else ''}{'snat' if nat & SNAT_BIT else 'dnat'}"
        elif self.states:
            yield nft_states(self.states, self.not_states)
        if self.status >= 0:
            words = ",".join(name.lower().replace("_", "-") for name, bit in STATUSES if self.status & bit)
            yield f"ct status {'! ' if self.not_status else ''}{words}"
        if self.expire:
            yield f"ct expiration {nft.unless(self.not_expire)}{nft.span(*self.expire)}"
        for option, value, mask, inverted in self.addresses:
            text = _address(value, mask, base.family, True)
            yield f"ct {_nft_side(option)} {option[-3]}addr {nft.unless(inverted)}{text}"
        for option, low, high, inverted in self.ports:
            yield f"ct {_nft_side(option)} proto-{option[-7:-4]} {nft.unless(inverted)}{nft.span(low, high)}"

    def _items(self, prefix: str, numeric: bool, family: int) -> Iterator[str]:
        if self.states:
            yield _item(prefix, "ctstate", show_states(self.states), self.not_states)
        if self.proto:
            yield _item(prefix, "ctproto", str(self.proto), self.not_proto)
        for option, value, mask, inverted in self.addresses:
            yield _item(prefix, option, _address(value, mask, family, numeric), inverted)
        for option, low, high, inverted in self.ports:
            yield _item(prefix, option, _range(low, high), inverted)
        if self.status >= 0:
            words = ",".join(name for name, bit in STATUSES if self.status & bit) or "NONE"
            yield _item(prefix, "ctstatus", words, self.not_status)
        if self.expire:
            yield _item(prefix, "ctexpire", _range(*self.expire), self.not_expire)
        if self.direction:
            yield _item(prefix, "ctdir", self.direction, False)

    # -- meaning ---------------------------------------------------------------------------------

    def region(self, base: Base) -> Region | None:
        return None if self.expire else self._timeless(base)

    def _timeless(self, base: Base) -> Region:
        """All but ``--ctexpire``. A packet without connection matches by its state alone."""
        others = tuple(self._clauses(base))
        if not self.states:
            return Region((others,))
        label = _item("--", "ctstate", show_states(self.states), self.not_states).strip()
        states = state_boxes(self.states, self.not_states, label)
        if not others:
            return Region(states)
        alone = within("ctstate", ((INVALID, INVALID), (UNTRACKED, UNTRACKED)))
        return Region((*((*box, *others) for box in states), *((*box, alone) for box in states)))

    def _clauses(self, base: Base) -> Iterator[Clause]:
        if self.proto:
            label = _item("--", "ctproto", str(self.proto), self.not_proto).strip()
            yield within("ctproto", ((self.proto, self.proto),), self.not_proto, label)
        for option, value, mask, inverted in self.addresses:
            label = _item("--", option, _address(value, mask, base.family, True), inverted).strip()
            yield masked(option, value & mask, mask, inverted, label)
        for option, low, high, inverted in self.ports:
            label = _item("--", option, _range(low, high), inverted).strip()
            yield within(option, ((low, high),), inverted, label)
        if self.status >= 0:
            words = ",".join(name for name, bit in STATUSES if self.status & bit) or "NONE"
            yield masked("ctstatus", 0, self.status, not self.not_status,
                         _item("--", "ctstatus", words, self.not_status).strip())  # fmt: skip
        if self.direction:
            side = int(self.direction == "REPLY")
            yield within("ctdir", ((side, side),), label=f"--ctdir {self.direction}")

    def compile(self, cx: Compile) -> Test:
        timeless = self._timeless(cx.base).test()
        if self.expire is None:
            return timeless
        (low, high), inverted, by_state = self.expire, self.not_expire, bool(self.states)

        def test(pkt: Packet, ctx: Context) -> bool:
            if pkt.ct is None:
                return by_state and timeless(pkt, ctx)
            return (low <= seconds_left(pkt.ct, ctx.now) <= high) is not inverted and timeless(pkt, ctx)

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        reason = self._timeless(base).why_not(pkt)
        if reason is None and self.expire and pkt.ct is not None:
            label = _item("--", "ctexpire", _range(*self.expire), self.not_expire).strip()
            return label, f"{seconds_left(pkt.ct, ctx.now)} s left"
        return reason


def seconds_left(ct: Conn, now: int) -> int:
    """What nf_ct_expires tells: 0 as long as the entry is not confirmed, for its time does not run yet."""
    return max(ct.timeout_at - now, 0) // 1_000_000_000 if ct.status & CONFIRMED else 0


def _item(prefix: str, option: str, text: str, inverted: bool) -> str:
    return f"{' !' if inverted else ''} {prefix}{option} {text}"


def _nft_side(option: str) -> str:
    return "original" if option.startswith("ctorig") else "reply"


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}:{high}"


def _address(value: int, mask: int, family: int, numeric: bool) -> str:
    if not numeric and value == 0:
        return "anywhere"
    bits = mask_bits(mask, family)
    tail = "" if mask == FULL[family] else f"/{show(mask, family) if bits is None else bits}"
    return (show(value, family) if numeric else any_name(value, family)) + tail


EXTENSIONS = (Conntrack,)
