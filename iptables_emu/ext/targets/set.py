"""SET: add the packet to a set, take it out, or take its mark from one (kernel: xt_set.c, revision 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Outcome, Place, Target, Verdict
from iptables_emu.ext.sets import set_and_directions
from iptables_emu.host.ipset.element import ADD, DEL, Ext, Look
from iptables_emu.host.ipset.packets import View
from iptables_emu.options.numbers import U32, strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.host.ipset.sets import IpSets
    from iptables_emu.packet.packet import Packet

SetUse = tuple[str, tuple[str, ...]]  # a set's name, and "src" or "dst" for each dimension

MAPS: Final = ("map-mark", "map-prio", "map-queue")
LATE_HOOKS: Final = frozenset({"FORWARD", "OUTPUT", "POSTROUTING"})


def _timeout(text: str, cx: OptionContext) -> int:
    value = strict(text, 0, U32 - 1)
    if value is None:
        raise ParameterProblem(f"Invalid value for option --timeout or out of range 0-{U32 - 1}")
    return value


def _set_row(name: str, ident: str, text: str) -> Opt:
    # the old parser looks at no "!" before its options
    convert = set_and_directions(f"--{name} requires two args.")
    return Opt(name, convert, invert=True, once=f"--{name} can be specified only once", ident=ord(ident),
               metavar="name src|dst[,...]", help=text)  # fmt: skip


def _flag(name: str, ident: str, text: str) -> Opt:
    return Opt(name, None, invert=True, multi=True, ident=ord(ident), help=text)


def _show(use: SetUse) -> str:
    return f" {use[0]} {','.join(use[1])}"


def _only_with(option: str, needed: str) -> ParameterProblem:
    kind = "Option" if option == "timeout" else "Flag"
    return ParameterProblem(f"{kind} `--{option}' can be used with `--{needed}' only")


@dataclass(frozen=True, slots=True)
class SetTarget(Target):
    """Each use of a set is its name and directions."""

    NAME: ClassVar[str] = "SET"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        _set_row("add-set", "1", "add the packet's addresses and ports to a set"),
        _set_row("del-set", "2", "take them out of a set"),
        _flag("exist", "3", "--add-set starts the timeout of an entry anew that is there already"),
        Opt("timeout", _timeout, invert=True, multi=True, ident=ord("4"), metavar="seconds",
            help="timeout of what --add-set adds"),
        _set_row("map-set", "5", "look them up in a set that tells a mark, priority or queue"),
        _flag("map-mark", "6", "give the packet the mark found"),
        _flag("map-prio", "7", "give the packet the priority found"),
        _flag("map-queue", "8", "give the packet the hardware queue found"),
    )  # fmt: skip

    add: SetUse | None = None
    delete: SetUse | None = None
    map: SetUse | None = None
    exist: bool = False
    timeout: int | None = None
    maps: tuple[str, ...] = ()

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not any(key in given for key in ("add-set", "del-set", "map-set")):
            raise ParameterProblem("You must specify either `--add-set' or `--del-set' or `--map-set'")
        for option, needed in (("exist", "add-set"), ("timeout", "add-set"), *((name, "map-set") for name in MAPS)):
            if option in given and needed not in given:
                raise _only_with(option, needed)
        if "map-set" in given and not any(name in given for name in MAPS):
            raise ParameterProblem("You must specify flags `--map-mark' or '--map-prio` or `--map-queue'")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        add, delete, mapped, timeout = (
            given[key].value if key in given else None for key in ("add-set", "del-set", "map-set", "timeout")
        )
        return cls(add, delete, mapped, "exist" in given, timeout, tuple(name for name in MAPS if name in given))

    def _text(self, prefix: str) -> str:
        out = f" {prefix}add-set{_show(self.add)}" if self.add else ""
        out += f" {prefix}exist" if self.exist else ""
        out += f" {prefix}timeout {self.timeout}" if self.timeout is not None else ""
        out += f" {prefix}del-set{_show(self.delete)}" if self.delete else ""
        out += f" {prefix}map-set{_show(self.map)}" if self.map else ""
        return out + "".join(f" {prefix}{name}" for name in self.maps)

    def save(self, base: Base) -> str:
        return self._text("--")

    def listing(self, numeric: bool, base: Base) -> str:
        return self._text("")

    def refused(self, place: Place) -> str | None:
        if self.map is None:
            return None
        late = any(name in self.maps for name in MAPS[1:])
        return "EINVAL" if place.table != "mangle" or (late and not place.hooks <= LATE_HOOKS) else None

    @property
    def set_names(self) -> tuple[str, ...]:
        """The sets it holds a reference to."""
        return tuple(use[0] for use in (self.add, self.delete, self.map) if use)

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Outcome:
            sets = ctx.host.ipsets
            sets.now = ctx.now
            for use, do in ((self.add, ADD), (self.delete, DEL)):
                if use is not None:
                    self._change(pkt, ctx, sets, use, do)
            return Flow.CONTINUE if self.map is None else self._map(pkt, ctx, sets, self.map)

        return act

    def _change(self, pkt: Packet, ctx: Context, sets: IpSets, use: SetUse, do: str) -> None:
        found = sets.find(use[0])
        if found is None:
            ctx.note(pkt, f"-j SET: the set {use[0]} is not known here")
            return
        adding = do == ADD
        ext = Ext(timeout=self.timeout if adding else None)
        sets.packet_change(found, View(pkt, use[1], ctx.iif, ctx.oif), do, ext, self.exist and adding)

    def _map(self, pkt: Packet, ctx: Context, sets: IpSets, use: SetUse) -> Outcome:
        """Take over what the set tells of the packet; without skbinfo that is nothing, and priority 0."""
        found = sets.find(use[0])
        if found is None:
            ctx.note(pkt, f"-j SET: the set {use[0]} is not known here")
            return Verdict.UNKNOWN
        look = Look(len(pkt.data))
        if not sets.packet_test(found, View(pkt, use[1], ctx.iif, ctx.oif), look):
            return Flow.CONTINUE
        entry = look.found
        if "map-mark" in self.maps and entry is not None:
            ctx.set_mark(pkt, pkt.mark & ~entry.mark_mask ^ entry.mark)
        if "map-prio" in self.maps:
            before, pkt.priority = pkt.priority, entry.prio if entry is not None else 0
            ctx.rewrote(pkt, "priority", f"0x{before:x}", f"0x{pkt.priority:x}")
        return Flow.CONTINUE


EXTENSIONS = (SetTarget,)
