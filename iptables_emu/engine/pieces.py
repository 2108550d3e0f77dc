"""Pieces of a datagram that wait for the others, in the kernel's order of insertion (kernel: inet_fragment.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

PULLED = {6: 20, 132: 12}  # bytes that conntrack wants in one piece, of TCP and SCTP
NOT_ECT, ECT1, ECT0, CE = 1, 2, 4, 8
# by the ECN fields seen, as a set of bits: what is added to the first one's; None: no such datagram (ip_frag_ecn_table)
ECN_MIX = {
    seen: None if seen & NOT_ECT and seen != NOT_ECT else 3 if seen & CE and seen != CE else 0 for seen in range(16)
}


@dataclass(slots=True)
class Pieces:
    """``runs`` holds [start, end] of pieces that came in order; the last piece of all ends the last run."""

    born: int
    total: int = 0  # as far as is known
    last_seen: bool = False
    pieces: dict[int, bytes] = field(default_factory=dict)
    runs: list[list[int]] = field(default_factory=list)
    tail: tuple[int, int] | None = None

    def fits(self, end: int, more: bool) -> bool:
        """Whether a piece agrees with the length that is known; it is taken note of."""
        if not more:
            if end < self.total or (self.last_seen and end != self.total):
                return False
            self.last_seen, self.total = True, end
        elif end > self.total:
            if self.last_seen:
                return False
            self.total = end
        return True

    def insert(self, start: int, payload: bytes) -> str:
        """ "new", or why it is not kept: "duplicate" or "overlap" (inet_frag_queue_insert)."""
        end = start + len(payload)
        if self.tail is None:
            self.runs.append([start, end])
        elif self.tail[1] < end:
            if start < self.tail[1]:
                return "overlap"
            if start == self.tail[1]:
                self.runs[-1][1] = end
            else:
                self.runs.append([start, end])
        else:
            for low, high in self.runs:
                if end <= low or start >= high:
                    continue
                return "duplicate" if start >= low and end <= high else "overlap"
            self.runs.insert(len(self.runs) - 1, [start, end])
            self.pieces[start] = payload
            return "new"
        self.pieces[start] = payload
        self.tail = (start, end)
        return "new"

    @property
    def complete(self) -> bool:
        return self.last_seen and sum(map(len, self.pieces.values())) == self.total

    def sizes(self) -> tuple[int, ...]:
        """The lengths as they came."""
        return tuple(len(self.pieces[at]) for at in sorted(self.pieces))

    def joined(self) -> bytes:
        return b"".join(self.pieces[at] for at in sorted(self.pieces))
