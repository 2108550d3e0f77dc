"""string: a run of bytes anywhere in the packet (kernel: xt_string.c, ts_bm.c, ts_kmp.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.ext.boyer_moore import UPPER, BoyerMoore
from iptables_emu.options.numbers import U16
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import string, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

MOST = 128  # XT_STRING_MAX_PATTERN_SIZE
HEX = b"0123456789abcdefABCDEF"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _plain(text: str, cx: OptionContext) -> str:
    data = _bytes(text)
    if len(data) > MOST:
        raise ParameterProblem(f'STRING too long "{text}"')
    return data.decode("latin-1")


def _hex(text: str, cx: OptionContext) -> str:
    """``GET |0d 0a|``: hexadecimal digits between bars, a backslash takes the next character as it is."""
    data = _bytes(text)
    if not data:
        raise ParameterProblem("STRING must contain at least one char")
    out, at, inside = bytearray(), 0, False
    while at < len(data):
        if len(out) >= MOST:
            raise ParameterProblem(f'STRING too long "{text}"')
        literal = data[at] == ord("\\")
        if literal and inside:
            raise ParameterProblem("Cannot include literals in hex data")
        if data[at] == ord("|"):
            inside = not inside
            while inside and data[at + 1 : at + 2] == b" ":
                at += 1
            at += 1
            if at >= len(data):
                break
        if literal:
            if at + 1 >= len(data):
                raise ParameterProblem("Bad literal placement at end of string")
            out.append(data[at + 1])
            at += 2
        elif inside:
            out.append(_hex_byte(data, at))
            at += 3 if data[at + 2 : at + 3] == b" " else 2
        else:
            out.append(data[at])
            at += 1
    return out.decode("latin-1")


def _hex_byte(data: bytes, at: int) -> int:
    if at + 1 >= len(data):
        raise ParameterProblem("Odd number of hex digits")
    if at + 2 >= len(data):
        raise ParameterProblem("Invalid hex block")
    for char in data[at : at + 2]:
        if char not in HEX:
            raise ParameterProblem(f"Invalid hex char '{bytes((char,)).decode('utf-8', 'surrogateescape')}'")
    return int(data[at : at + 2], 16)


@dataclass(frozen=True, slots=True)
class String(Match):
    """``pattern`` has a character for each byte. It must lie within the bytes ``start`` to ``end``, counted from
    the IP header; only its first place counts."""

    NAME: ClassVar[str] = "string"
    MISSING: ClassVar[str] = (
        ": bm misses what lies across the fragments that the packet came in, if they were kept apart"
    )
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("from", uint(16), metavar="offset", ident=0, help="where the search begins"),
        Opt("to", uint(16), metavar="offset", ident=1, help="where it ends"),
        Opt("algo", string(size=16), mandatory=True, metavar="bm|kmp", ident=2, help="algorithm of the search"),
        Opt("string", _plain, invert=True, excludes=("hex-string",), metavar="text", ident=4, help="what to look for"),
        Opt("hex-string", _hex, invert=True, excludes=("string",), metavar="text", ident=5,
            help="the same, with hexadecimal digits between bars"),
        Opt("icase", None, ident=3, help="capital and small letters are the same"),
    )  # fmt: skip

    pattern: str
    inverted: bool
    algo: str
    start: int = 0
    end: int = U16
    icase: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if "string" not in given and "hex-string" not in given:
            raise ParameterProblem("STRING match: You must specify `--string' or `--hex-string'")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        pattern = given["string"] if "string" in given else given["hex-string"]
        start, end = given.get("from"), given.get("to")
        return cls(
            pattern.value, pattern.inverted, given["algo"].value, start.value if start else 0,
            end.value if end else U16, "icase" in given,
        )  # fmt: skip

    def _pattern(self) -> tuple[bool, str]:
        """Whether it is shown in hexadecimal, and how."""
        if any(not " " <= c <= "~" for c in self.pattern) or self.pattern.endswith("\\"):
            return True, f' "|{self.pattern.encode("latin-1").hex()}|"'
        escaped = self.pattern.replace("\\", "\\\\").replace('"', '\\"')
        return False, f' "{escaped}"'

    def save(self, base: Base) -> str:
        is_hex, shown = self._pattern()
        out = f"{' !' if self.inverted else ''} --{'hex-' if is_hex else ''}string{shown} --algo {self.algo}"
        out += f" --from {self.start}" if self.start else ""
        out += f" --to {self.end}" if self.end != U16 else ""
        return out + (" --icase" if self.icase else "")

    def listing(self, numeric: bool, base: Base) -> str:
        out = f" STRING match {'!' if self.inverted else ''}{self._pattern()[1]} ALGO name {self.algo}"
        out += f" FROM {self.start}" if self.start else ""
        out += f" TO {self.end}" if self.end != U16 else ""
        return out + (" ICASE" if self.icase else "")

    def refused(self, place: Place) -> str | None:
        if self.start > self.end or not self.pattern:
            return "EINVAL"
        if self.algo in ("bm", "kmp"):
            return None
        return "EINVAL" if self.algo == "fsm" else "ENOENT"  # fsm takes no patterns that are text

    def compile(self, cx: Compile) -> Test:
        wanted = self.pattern.encode("latin-1")
        start, inverted = self.start, self.inverted
        latest = self.end - start - len(wanted)
        if self.algo != "bm":
            needle = wanted.translate(UPPER) if self.icase else wanted

            def test(pkt: Packet, ctx: Context) -> bool | None:
                text = pkt.as_held()[start:]
                found = (text.translate(UPPER) if self.icase else text).find(needle)
                return (0 <= found <= latest) is not inverted

            return test
        searcher = BoyerMoore.of(wanted, self.icase)

        def bm_test(pkt: Packet, ctx: Context) -> bool | None:
            ways = [_pieces(pkt, start)]
            if pkt.frag_max and not pkt.ignore_df:
                # pieces are put together at delivery where there is room behind the first (ip_frag_coalesce_ok)
                ways.append([pkt.as_held()[start:]])
            places = {searcher.find(blocks) for blocks in ways}
            answers = {(0 <= place <= latest) is not inverted for place in places}
            return answers.pop() if len(answers) == 1 else None

        return bm_test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        return self.save(base).strip(), "found" if self.inverted else "not found"


def _pieces(pkt: Packet, start: int) -> list[bytes]:
    """The packet from an offset on, in the fragments that it came in."""
    ends, at = [], pkt.frag_head or pkt.l4
    for size in pkt.frag_sizes[:-1]:
        at += size
        ends.append(at)
    data, out = pkt.as_held(), []
    for end in (*ends, len(data)):
        if end > start:
            out.append(data[start:end])
            start = end
    return out


EXTENSIONS = (String,)
