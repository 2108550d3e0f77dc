"""The kernel's Boyer-Moore search, which misses what an exact search finds (kernel: lib/ts_bm.c)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CAPITALS = (*range(0x41, 0x5B), *(byte for byte in range(0xC0, 0xDF) if byte != 0xD7))  # isupper
SMALLS = (*range(0x61, 0x7B), *(byte for byte in range(0xDF, 0x100) if byte != 0xF7))  # islower
UPPER = bytes(byte - 32 if byte in SMALLS else byte for byte in range(256))
LOWER = bytes(byte + 32 if byte in CAPITALS else byte for byte in range(256))


@dataclass(frozen=True, slots=True)
class BoyerMoore:
    """A pattern (in capitals for ``icase``) with its tables of jumps."""

    pattern: bytes
    icase: bool
    bad: tuple[int, ...]  # by the text's byte, as it stands there
    good: tuple[int, ...]  # by how many bytes fitted, from the right

    @classmethod
    def of(cls, pattern: bytes, icase: bool) -> BoyerMoore:
        pattern = pattern.translate(UPPER) if icase else pattern
        size = len(pattern)
        bad = [size] * 256
        for at, byte in enumerate(pattern[:-1]):
            bad[byte] = size - 1 - at
            if icase:
                bad[LOWER[byte]] = size - 1 - at
        good = [1] + [_good_jump(pattern, fitted) for fitted in range(1, size)]
        return cls(pattern, icase, tuple(bad), tuple(good))

    def find(self, blocks: Iterable[bytes]) -> int:
        """Where the pattern begins, or -1. A place that reaches over the end of a block is not seen."""
        before = 0
        for block in blocks:
            at = self._in_block(block)
            if at >= 0:
                return before + at
            before += len(block)
        return -1

    def _in_block(self, block: bytes) -> int:
        size = len(self.pattern)
        text = block.translate(UPPER) if self.icase else block
        last = size - 1
        while last < len(block):
            fitted = 0
            while fitted < size and text[last - fitted] == self.pattern[size - 1 - fitted]:
                fitted += 1
            if fitted == size:
                return last - size + 1
            last = max(last - fitted + self.bad[block[last - fitted]], last + self.good[fitted])
        return -1


def _good_jump(pattern: bytes, fitted: int) -> int:
    """How far the pattern may move so that what fitted meets the same again, after another byte."""
    size = len(pattern)
    own = size - fitted
    for other in range(own - 1, -fitted, -1):
        inside = max(0, -other)  # bytes of the part that would stand before the pattern
        if pattern[own + inside :] == pattern[other + inside : other + fitted] and (
            other <= 0 or pattern[own - 1] != pattern[other - 1]
        ):
            return size - other - fitted
    return size
