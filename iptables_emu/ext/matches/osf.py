"""osf: the sender's operating system by its SYN (kernel: xt_osf.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext.api import Base, Gathered, Match, Opt
from iptables_emu.options.types import string, uint


@dataclass(frozen=True, slots=True)
class Osf(Match):
    """The answer depends on the fingerprints that nfnl_osf has loaded: unknown here."""

    NAME: ClassVar[str] = "osf"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({6})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING", "INPUT", "FORWARD"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("genre", string(size=32), invert=True, mandatory=True, metavar="name", help="name of the system"),
        Opt("ttl", uint(32, 0, 2), metavar="level", help="0 TTL must be equal, 1 may be less, 2 does not count"),
        Opt("log", uint(32, 0, 2), metavar="level", help="0 log all signatures, 1 the first, 2 the known ones"),
    )

    genre: str
    inverted: bool = False
    ttl: int | None = None
    log: int | None = None

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        ttl, log = given.get("ttl"), given.get("log")
        genre = given["genre"]
        return cls(genre.value, genre.inverted, ttl.value if ttl else None, log.value if log else None)

    def save(self, base: Base) -> str:
        out = f"{' !' if self.inverted else ''} --genre {self.genre}"
        if self.ttl is not None:
            out += f" --ttl {self.ttl}"
        return out + (f" --log {self.log}" if self.log is not None else "")

    def listing(self, numeric: bool, base: Base) -> str:
        return f" OS fingerprint match {'! ' if self.inverted else ''}{self.genre}"


EXTENSIONS = (Osf,)
