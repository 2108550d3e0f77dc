"""owner: user and group of the socket that sent a packet (kernel: xt_owner.c, revision 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.accounts import GROUPS, USERS, name_of
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.options.numbers import U32, scan
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.packet.packet import NO_FILE

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

Ids = tuple[int, int]
MOST = U32 - 1  # -1 is no id


def _ids(table: dict[str, int]) -> Callable[[str, OptionContext], Ids]:
    """A name, a number or a range of numbers."""

    def convert(text: str, cx: OptionContext) -> Ids:
        if text in table:
            return table[text], table[text]
        first = scan(text, 0, MOST)
        if first is None:
            raise _bad(cx.name, text)
        low, rest = first
        high = low
        if rest[:1] in ("-", ":") and rest:
            second = scan(rest[1:], 0, MOST)
            if second is None:
                raise _bad(cx.name, text)
            high, rest = second
        if rest:
            raise _bad(cx.name, text)
        return low, high

    return convert


def _bad(option: str, text: str) -> ParameterProblem:
    return ParameterProblem(f'owner: Bad value for "--{option}" option: "{text}"')


@dataclass(frozen=True, slots=True)
class Owner(Match):
    """``uids`` and ``gids`` are inclusive; ``socket`` None asks nothing.

    The groups of a process besides its own are not known: with ``--suppl-groups`` a group that does not match
    leaves the answer open.
    """

    NAME: ClassVar[str] = "owner"
    MISSING: ClassVar[str] = (
        ": say whose the packet is, as uid 1000, or give the socket as one of the host's [[sockets]]"
    )
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"OUTPUT", "POSTROUTING"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("uid-owner", _ids(USERS), invert=True, metavar="userid[-userid]", help="user of the sending process"),
        Opt("gid-owner", _ids(GROUPS), invert=True, metavar="groupid[-groupid]", help="group of the sending process"),
        Opt("socket-exists", invert=True, help="the packet belongs to a socket"),
        Opt("suppl-groups", ident=6, help="with --gid-owner: look at the process' supplementary groups too"),
    )

    uids: Ids | None = None
    not_uids: bool = False
    gids: Ids | None = None
    not_gids: bool = False
    socket: bool | None = None
    groups: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("owner: At least one of --uid-owner, --gid-owner or --socket-exists is required")
        order = list(given)
        if "suppl-groups" in given and "gid-owner" not in order[: order.index("suppl-groups")]:
            raise _bad("suppl-groups", "you need to use --gid-owner first")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        uids, gids, socket = given.get("uid-owner"), given.get("gid-owner"), given.get("socket-exists")
        return cls(
            uids.value if uids else None, bool(uids and uids.inverted),
            gids.value if gids else None, bool(gids and gids.inverted),
            not socket.inverted if socket else None, "suppl-groups" in given,
        )  # fmt: skip

    def save(self, base: Base) -> str:
        return "".join(self._items(("--socket-exists", "--uid-owner", "--gid-owner", "--suppl-groups"), True))

    def listing(self, numeric: bool, base: Base) -> str:
        words = ("owner socket exists", "owner UID match", "owner GID match", "incl. suppl. groups")
        return "".join(self._items(words, numeric))

    def translate(self, base: Base) -> str | None:
        if self.socket is not None or self.groups or (self.uids is None) is (self.gids is None):
            return None
        if self.uids is not None:
            return f"skuid {nft.unless(self.not_uids)}{nft.span(*self.uids)}"
        return f"skgid {nft.unless(self.not_gids)}{nft.span(*self.gids or (0, 0))}"

    def _items(self, words: Sequence[str], numeric: bool) -> Iterator[str]:
        if self.socket is not None:
            yield f"{'' if self.socket else ' !'} {words[0]}"
        if self.uids:
            yield f"{' !' if self.not_uids else ''} {words[1]} {_show(self.uids, USERS, numeric)}"
        if self.gids:
            yield f"{' !' if self.not_gids else ''} {words[2]} {_show(self.gids, GROUPS, numeric)}"
        if self.groups:
            yield f" {words[3]}"

    def refused(self, place: Place) -> str | None:
        return "EINVAL" if any(ids and ids[0] > ids[1] for ids in (self.uids, self.gids)) else None

    def compile(self, cx: Compile) -> Test:
        # a packet without socket, or of one without process, matches what was asked only in the negative
        all_inverted = (self.uids is None or self.not_uids) and (self.gids is None or self.not_gids)
        without_socket = all_inverted and not self.socket and not self.groups

        def test(pkt: Packet, ctx: Context) -> bool | None:
            if not pkt.socket:
                return without_socket
            if self.socket is False:
                return False
            if pkt.uid == NO_FILE:
                return all_inverted
            answers = (_within(pkt.uid, self.uids, self.not_uids, False),
                       _within(pkt.gid, self.gids, self.not_gids, self.groups))  # fmt: skip
            if False in answers:
                return False
            return None if None in answers else True

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        have = f"sent by user {pkt.uid}, group {pkt.gid}" if pkt.socket else "without a socket"
        return self.save(base).strip(), have


def _within(have: int | None, ids: Ids | None, inverted: bool, open_ended: bool) -> bool | None:
    if ids is None:
        return True
    if have is None:
        return None
    hit = ids[0] <= have <= ids[1]
    return None if open_ended and not hit else hit is not inverted


def _show(ids: Ids, table: dict[str, int], numeric: bool) -> str:
    if ids[0] != ids[1]:
        return f"{ids[0]}-{ids[1]}"
    return str(ids[0]) if numeric else name_of(ids[0], table) or str(ids[0])


EXTENSIONS = (Owner,)
