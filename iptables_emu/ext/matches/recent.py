"""recent: lists of addresses seen lately (kernel: xt_recent.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.ext.jiffies import HZ, jiffies
from iptables_emu.ext.procname import bad_proc_name
from iptables_emu.ext.recent_list import RecentList
from iptables_emu.ext.widemask import narrow_mask, wide_mask
from iptables_emu.model.address import show
from iptables_emu.options.numbers import U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import host, string, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

ACTIONS = {"set": "SET", "rcheck": "CHECK", "update": "UPDATE", "remove": "REMOVE"}
MOST_HITS = 65535  # XT_RECENT_MAX_NSTAMPS - 1


@dataclass(frozen=True, slots=True)
class Recent(Match):
    """``action`` is the option's name; ``seconds`` and ``hits`` 0 are not asked. The list's mask is that of the
    rule that made the list."""

    NAME: ClassVar[str] = "recent"
    NEEDS_SETUP: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        *(
            Opt(action, None, excludes=tuple(a for a in ACTIONS if a != action), invert=True, help=text)
            for action, text in (
                ("set", "note the address; always matches"),
                ("rcheck", "the address is on the list"),
                ("update", "the same, and note it again"),
                ("remove", "the same, and take it off the list"),
            )
        ),
        Opt("seconds", uint(32, 1), metavar="seconds", help="it was noted within these seconds"),
        Opt("reap", None, also=("seconds",), help="drop entries older than that"),
        Opt("hitcount", uint(32), metavar="hits", help="it was noted at least so often"),
        Opt("rttl", None, excludes=("set", "remove"), help="its TTL was the same"),
        Opt("name", string(size=200), metavar="name", help="name of the list, DEFAULT when not given"),
        Opt("rsource", None, help="the source address counts (default)"),
        Opt("rdest", None, help="the destination address counts"),
        Opt("mask", host, metavar="netmask", help="mask laid over the addresses"),
    )

    action: str
    inverted: bool
    seconds: int
    reap: bool
    hits: int
    same_ttl: bool
    name: str
    destination: bool
    mask: int

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not any(action in given for action in ACTIONS):
            raise ParameterProblem("recent: you must specify one of `--set', `--rcheck' `--update' or `--remove'")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        action = next(a for a in ACTIONS if a in given)
        values = {key: given[key].value for key in ("seconds", "hitcount", "name", "mask") if key in given}
        side = next((key for key in reversed(list(given)) if key in ("rsource", "rdest")), "")
        return cls(
            action, given[action].inverted, values.get("seconds", 0), "reap" in given, values.get("hitcount", 0),
            "rttl" in given, values.get("name", "DEFAULT"), side == "rdest", wide_mask(values.get("mask"), base.family),
        )  # fmt: skip

    def save(self, base: Base) -> str:
        out = f"{' !' if self.inverted else ''} --{self.action}"
        out += f" --seconds {self.seconds}" if self.seconds else ""
        out += " --reap" if self.reap else ""
        out += f" --hitcount {self.hits}" if self.hits else ""
        out += " --rttl" if self.same_ttl else ""
        side = "rdest" if self.destination else "rsource"
        return out + f" --name {self.name} --mask {show(narrow_mask(self.mask, base.family), base.family)} --{side}"

    def listing(self, numeric: bool, base: Base) -> str:
        out = f"{' !' if self.inverted else ''} recent: {ACTIONS[self.action]}"
        out += f" seconds: {self.seconds}" if self.seconds else ""
        out += " reap" if self.reap else ""
        out += f" hit_count: {self.hits}" if self.hits else ""
        out += " TTL-Match" if self.same_ttl else ""
        side = "dest" if self.destination else "source"
        return out + f" name: {self.name} side: {side} mask: {show(narrow_mask(self.mask, base.family), base.family)}"

    def refused(self, place: Place) -> str | None:
        modified = self.seconds or self.hits or self.same_ttl or self.reap
        if self.action in ("set", "remove") and modified:
            return "EINVAL"
        return "EINVAL" if self.hits > MOST_HITS or bad_proc_name(self.name) else None

    def _list(self, cx: Compile) -> RecentList:
        """The list of this name (of both families), made or made larger for this rule."""
        made: RecentList = cx.shared.setdefault(("recent", self.name), RecentList(self.mask))
        made.remember(self.hits)
        return made

    def compile(self, cx: Compile) -> Test:
        family, recent = cx.family, self._list(cx)

        def test(pkt: Packet, ctx: Context) -> bool:
            ttl = pkt.ttl
            if ctx.oif and not pkt.socket:
                ttl = ttl + 1 & 0xFF  # as it was before forwarding
            address = recent.masked(pkt.dst if self.destination else pkt.src, family)
            return self._decide(recent, (family, address), ttl, jiffies(ctx.now))

        return test

    def _decide(self, recent: RecentList, key: tuple[int, int], ttl: int, now: int) -> bool:
        entry = recent.find(key, ttl if self.same_ttl else 0)
        if entry is None:
            if self.action != "set":
                return self.inverted
            recent.add(key, ttl, now)
            return not self.inverted
        if self.action == "remove":
            recent.remove(key)
            return not self.inverted
        if self.action == "set":
            recent.touch(key, ttl, now)
            return not self.inverted
        since = now - (self.seconds * HZ & U32)
        seen = sum(1 for stamp in entry.stamps if not self.seconds or stamp >= since)
        matched = (seen >= max(self.hits, 1)) is not self.inverted
        update = self.action == "update" and matched
        if self.reap:
            recent.reap(since, key if update else None)
        if update:
            recent.touch(key, ttl, now)
        return matched


EXTENSIONS = (Recent,)
