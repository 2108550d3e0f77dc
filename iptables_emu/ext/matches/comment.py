"""comment: a note on a rule; always matches (kernel: xt_comment.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.options.types import cut, save_string, string

SIZE = 256  # XT_MAX_COMMENT_LEN, with the final NUL


@dataclass(frozen=True, slots=True)
class Comment(Match):
    """At most 255 bytes; what is longer is cut."""

    NAME: ClassVar[str] = "comment"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("comment", string(size=SIZE), mandatory=True, metavar="COMMENT", help="a note for people"),
    )

    text: str

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["comment"].value)

    def save(self, base: Base) -> str:
        return " --comment" + save_string(self.text)

    def listing(self, numeric: bool, base: Base) -> str:
        return f" /* {self.text} */"

    def translate(self, base: Base) -> nft.Nft:
        return nft.Nft(comment=cut(f'"{self.text}"', SIZE - 1))

    def region(self, base: Base) -> Region:
        return Region()


EXTENSIONS = (Comment,)
