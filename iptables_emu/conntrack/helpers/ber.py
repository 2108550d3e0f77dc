"""BER as the kernel's decoder takes it (kernel: asn1_ber_decoder in lib/asn1_decoder.c): one walk over the data."""

from __future__ import annotations

CONSTRUCTED, LONG_TAG = 0x20, 0x1F
INDEFINITE, MOST_LENGTH_BYTES = 0x80, 2


class BadBer(Exception):
    """The data are not of the form that was asked for."""


class Ber:
    """``at`` is where the walk stands, ``end`` where the innermost element ends."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at, self.end = data, 0, len(data)

    def done(self) -> bool:
        return self.at == self.end

    def is_next(self, tag: int) -> bool:
        """Whether a tag comes next; a constructed one may lack its bit."""
        if self.at >= self.end - 1:
            raise BadBer("data overrun")
        found = self.data[self.at]
        if found & LONG_TAG == LONG_TAG:
            raise BadBer("long tag")
        return (found ^ tag) & ~(tag & CONSTRUCTED) == 0

    def leaf(self, tag: int) -> tuple[int, int]:
        """(start, end) of the contents of an element that must be of this tag; the walk stands behind it."""
        start, size = self._open(tag)
        if size is None:
            raise BadBer("indefinite length")
        self.at = start + size
        return start, self.at

    def enter(self, tag: int) -> tuple[int, bool]:
        """Go into an element; what it gives is for :meth:`leave`."""
        start, size = self._open(tag)
        outer = self.end
        self.at = start
        if size is not None:
            self.end = start + size
        return outer, size is None

    def more(self, state: tuple[int, bool]) -> bool:
        """Whether the element that was entered goes on."""
        return self.data[self.at : self.at + 1] != b"\0" if state[1] else self.at < self.end

    def leave(self, state: tuple[int, bool]) -> None:
        outer, indefinite = state
        if indefinite:
            if self.data[self.at : min(self.at + 2, self.end)] != b"\0\0":
                raise BadBer("no end of contents")
            self.at += 2
        elif self.at != self.end:
            raise BadBer("length")
        self.end = outer

    def _open(self, tag: int) -> tuple[int, int | None]:
        """(start of the contents, their size or None when it is not told)."""
        if not self.is_next(tag):
            raise BadBer("unexpected tag")
        size, start = self.data[self.at + 1], self.at + 2
        if size == INDEFINITE:
            if not self.data[self.at] & CONSTRUCTED or self.end - start < 2:
                raise BadBer("indefinite length")
            return start, None
        if size > INDEFINITE:
            count = size - INDEFINITE
            if count > MOST_LENGTH_BYTES or count > self.end - start:
                raise BadBer("length")
            size, start = int.from_bytes(self.data[start : start + count], "big"), start + count
        if size > self.end - start:
            raise BadBer("data overrun")
        return start, size
