"""IDLETIMER: start a timer anew with each packet (kernel: xt_IDLETIMER.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Place, Target
from iptables_emu.options.types import string, uint
from iptables_emu.trace.events import Recorded

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


SIZE: Final = 28  # MAX_IDLETIMER_LABEL_SIZE, with the final NUL
LONGEST: Final = 0x7FFFFFFF // 1000  # the kernel counts milliseconds in an int
TAKEN: Final = frozenset({"", ".", "..", "power", "subsystem", "uevent"})  # no names for a file in sysfs


@dataclass(frozen=True, slots=True)
class IdleTimer(Target):
    """``timeout`` in seconds. The packet goes on; that the timer has run out is told to
    user space only (a change of the file /sys/class/xt_idletimer/timers/LABEL)."""

    NAME: ClassVar[str] = "IDLETIMER"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("timeout", uint(32), mandatory=True, metavar="seconds", help="idle time until user space is told"),
        Opt("label", string(size=SIZE), mandatory=True, metavar="name", help="the timer's name; rules may share one"),
        Opt("alarm", None, help="a timer that also wakes a sleeping system"),
    )

    timeout: int
    label: str
    alarm: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["timeout"].value, given["label"].value, "alarm" in given)

    def save(self, base: Base) -> str:
        return f" --timeout {self.timeout} --label {self.label}" + (" --alarm" if self.alarm else "")

    def listing(self, numeric: bool, base: Base) -> str:
        return f" timeout:{self.timeout} label:{self.label}" + (" alarm" if self.alarm else "")

    def refused(self, place: Place) -> str | None:
        good = 0 < self.timeout < LONGEST and self.label not in TAKEN and "/" not in self.label
        return None if good else "EINVAL"

    def compile(self, cx: Compile) -> Action:
        text = f"IDLETIMER {self.label}: {self.timeout} seconds left, from now"

        def act(pkt: Packet, ctx: Context) -> Flow:
            ctx.emit(Recorded(pkt.number, text))
            return Flow.CONTINUE

        return act


EXTENSIONS = (IdleTimer,)
