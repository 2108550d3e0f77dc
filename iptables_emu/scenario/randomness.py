"""Numbers that the kernel draws at random, and whether an emulator's number could have been drawn in their place.

Kernel: nf_nat_l4proto_unique_tuple.  On a clash, and with --random, a port comes from the class of the original
(1-511, 512-1023, 1024-65535), or from the range that a rule gives; an ICMP id from all of them.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.scenario.fields import Number, layers, line_numbers

PORT_CLASSES: Final = ((1, 511), (512, 1023), (1024, 65535))
RULE_RANGE: Final = re.compile(r"(?:--to-ports |--to-\w+ \S*:)(\d+)-(\d+)")
SCENARIO_PORT: Final = re.compile(r'"(?:sport|dport|port)": (\d+)')
WIDE_CLASS: Final = 1024


class Randomness:
    """What of a scenario may be random.  It remembers which number stood for which, connection by connection."""

    def __init__(self, scenario: dict[str, Any]):
        self.allowed = bool(scenario.get("random"))
        rules = json.dumps([scenario.get("rulesets", {}), scenario.get("steps", [])])
        self._ranges = [(int(low), int(high)) for low, high in RULE_RANGE.findall(rules)]
        self._written = {int(port) for port in SCENARIO_PORT.findall(json.dumps(scenario.get("steps", [])))}
        self._stands_for: dict[tuple[object, ...], int] = {}

    def forget(self) -> None:
        """From now on new numbers may be drawn for the same connections."""
        self._stands_for.clear()

    def lines_agree(self, kernel: str, emulated: str) -> bool:
        """Whether two lines of the log or of conntrack are equal, but for random numbers."""
        mine, theirs = kernel.split(" "), emulated.split(" ")
        if not self.allowed or len(mine) != len(theirs):
            return kernel == emulated
        numbers, others = line_numbers(mine), line_numbers(theirs)
        differing = [index for index, pair in enumerate(zip(mine, theirs, strict=True)) if pair[0] != pair[1]]
        if numbers.keys() != others.keys() or not all(index in numbers for index in differing):
            return False
        return self._accept([(number, others[index].value) for index, number in numbers.items()])

    def frames_agree(self, kernel: bytes, emulated: bytes) -> bool:
        """Whether two frames are equal, but for random numbers and the checksums over them."""
        if not self.allowed or len(kernel) != len(emulated):
            return kernel == emulated
        mine, theirs = bytearray(kernel), bytearray(emulated)
        drawn: list[tuple[Number, int]] = []
        for layer in layers(kernel):
            for at, number in layer.numbers.items():
                drawn.append((number, int.from_bytes(emulated[at : at + 2], "big")))
                mine[at : at + 2] = theirs[at : at + 2] = bytes(2)
            if layer.checksum is not None:
                at = layer.checksum
                unused = kernel[at : at + 2] == emulated[at : at + 2] == bytes(2)
                sums = [internet_checksum(frame[layer.start :]) for frame in (kernel, emulated)]
                if not unused and sums[0] != sums[1]:
                    return False
                mine[at : at + 2] = theirs[at : at + 2] = bytes(2)
        return mine == theirs and self._accept(drawn)

    def _accept(self, pairs: list[tuple[Number, int]]) -> bool:
        if not all(self._possible(number, value) for number, value in pairs):
            return False
        return all(self._stands_for.setdefault((number.flow, number.value), value) == value for number, value in pairs)

    def _possible(self, number: Number, value: int) -> bool:
        """Whether the kernel could have drawn ``value`` where it drew ``number``."""
        if number.is_id or value == number.value:
            return True
        if any(low <= number.value <= high and low <= value <= high for low, high in self._ranges):
            return True
        # out of so many ports, none written in the scenario is drawn by chance: one side kept it
        if any(port >= WIDE_CLASS and port in self._written for port in (number.value, value)):
            return False
        return any(low <= number.value <= high and low <= value <= high for low, high in PORT_CLASSES)
