"""LED: blink a light (kernel: xt_LED.c)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.numbers import U32, strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import string
from iptables_emu.trace.events import Recorded

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


LONGEST_NAME: Final = 16  # what "netfilter-" leaves of xt_led_info.id


def _delay(text: str, cx: OptionContext) -> int:
    value = U32 if text[:3].lower() == "inf" else strict(text, 0, U32)
    if value is None:
        raise ParameterProblem(f"Delay value must be within range 0..{U32}")
    return value


@dataclass(frozen=True, slots=True)
class Led(Target):
    """``delay`` in milliseconds, all ones for ever. The packet goes on."""

    NAME: ClassVar[str] = "LED"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("led-trigger-id", string(high=LONGEST_NAME), mandatory=True, metavar="name",
            help="the trigger netfilter-NAME"),
        Opt("led-delay", _delay, metavar="ms", help="how long the light stays on, or inf"),
        Opt("led-always-blink", None, help="show each packet, also while the light is on"),
    )  # fmt: skip

    trigger: str
    delay: int = 0
    always_blink: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        delay = given.get("led-delay")
        return cls(given["led-trigger-id"].value, delay.value if delay else 0, "led-always-blink" in given)

    def _name(self) -> str:
        return '"' + re.sub(r'(["\\])', r"\\\1", self.trigger) + '"'

    def _signed(self) -> int:
        return self.delay - (self.delay >> 31 << 32)

    def save(self, base: Base) -> str:
        out = f" --led-trigger-id {self._name()}"
        if self.delay:  # upstream means to print "inf" but compares an unsigned number: it prints -1
            out += f" --led-delay {self._signed()}"
        return out + (" --led-always-blink" if self.always_blink else "")

    def listing(self, numeric: bool, base: Base) -> str:
        shown = "inf" if self.delay == U32 else f"{self._signed()}ms"
        blink = " led-always-blink" if self.always_blink else ""
        return f" led-trigger-id:{self._name()} led-delay:{shown}{blink}"

    def compile(self, cx: Compile) -> Action:
        lasts = "for ever" if self.delay == U32 else f"for {self.delay} ms" if self.delay else "and off at once"
        text = f"LED netfilter-{self.trigger}: on, {lasts}"

        def act(pkt: Packet, ctx: Context) -> Flow:
            ctx.emit(Recorded(pkt.number, text))
            return Flow.CONTINUE

        return act


EXTENSIONS = (Led,)
