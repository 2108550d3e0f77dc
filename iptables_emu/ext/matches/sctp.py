"""sctp: ports and chunks of SCTP (kernel: xt_sctp.c)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Region, Test
from iptables_emu.ext.ports import PortRange, given_ports, list_ports, port_range, save_given_ports
from iptables_emu.ext.region import Header, within
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

DATA_FLAGS, ABORT_FLAGS, NO_FLAGS = "----IUBE", "-------T", "--------"
# (name, type, the letters of its flags from bit 7 down)
CHUNKS = (
    ("DATA", 0, DATA_FLAGS), ("INIT", 1, NO_FLAGS), ("INIT_ACK", 2, NO_FLAGS), ("SACK", 3, NO_FLAGS),
    ("HEARTBEAT", 4, NO_FLAGS), ("HEARTBEAT_ACK", 5, NO_FLAGS), ("ABORT", 6, ABORT_FLAGS), ("SHUTDOWN", 7, NO_FLAGS),
    ("SHUTDOWN_ACK", 8, NO_FLAGS), ("ERROR", 9, NO_FLAGS), ("COOKIE_ECHO", 10, NO_FLAGS), ("COOKIE_ACK", 11, NO_FLAGS),
    ("ECN_ECNE", 12, NO_FLAGS), ("ECN_CWR", 13, NO_FLAGS), ("SHUTDOWN_COMPLETE", 14, ABORT_FLAGS),
    ("I_DATA", 64, DATA_FLAGS), ("RE_CONFIG", 130, NO_FLAGS), ("PAD", 132, NO_FLAGS), ("ASCONF", 193, NO_FLAGS),
    ("ASCONF_ACK", 128, NO_FLAGS), ("FORWARD_TSN", 192, NO_FLAGS), ("I_FORWARD_TSN", 194, NO_FLAGS),
)  # fmt: skip
NAMES = {kind: name for name, kind, _ in CHUNKS}
ALL = (1 << 256) - 1
MOST_FLAGS = 4  # XT_NUM_SCTP_FLAGS

Flags = tuple[int, int, int]  # row of CHUNKS, mask, value
Chunks = tuple[str, int, tuple[Flags, ...]]  # "any", "all" or "only"; a bit for each type; the flags asked


def _chunks(text: str, cx: OptionContext) -> Chunks:
    second = cx.words.peek()
    if second is None or second[:1] in ("-", "!"):
        raise ParameterProblem("--chunk-types requires two args")
    if text.lower() not in ("any", "all", "only"):
        raise ParameterProblem('Match type has to be one of "ALL", "ANY" or "ONLY"')
    out = _chunk_list(second)
    cx.words.take()
    return text.lower(), *out


def _chunk_list(text: str) -> tuple[int, tuple[Flags, ...]]:
    if text.upper() in ("ALL", "NONE"):
        return (ALL if text.upper() == "ALL" else 0), ()
    kinds, flags = 0, dict[int, tuple[int, int]]()
    for word in filter(None, text.split(",")):
        name, _, letters = word.partition(":")
        row = next((i for i, chunk in enumerate(CHUNKS) if chunk[0] == name.upper()), None)
        if row is None:
            raise ParameterProblem(f"Unknown sctp chunk `{name}'")
        kinds |= 1 << CHUNKS[row][1]
        for letter in letters:
            place = CHUNKS[row][2].find(letter.upper())
            if place < 0:
                raise ParameterProblem(f"Invalid flags for chunk type {row}")
            if row not in flags and len(flags) == MOST_FLAGS:
                raise ParameterProblem(
                    "Number of chunk types with flags exceeds currently allowed limit. Increasing this limit "
                    "involves changing IPT_NUM_SCTP_FLAGS and recompiling both the kernel space and user space modules"
                )
            bit, (mask, value) = 0x80 >> place, flags.get(row, (0, 0))
            flags[row] = (mask | bit, value | bit if letter.isupper() else value)
    return kinds, tuple((row, mask, value) for row, (mask, value) in flags.items())


def _nft_chunks(chunks: Chunks, inverted: bool) -> Iterator[str]:
    how, kinds, flags = chunks
    asked = {row: (mask, value) for row, mask, value in reversed(flags)}
    for name, kind, _ in CHUNKS:
        chunk = f"sctp chunk {name.lower().removeprefix('ecn_').replace('_', '-')}"
        if not kinds >> kind & 1:
            if how == "only":
                yield f"{chunk} {'exists' if inverted else 'missing'}"
        elif kind in asked:
            mask, value = asked[kind]
            yield f"{chunk} flags & 0x{mask:x} {'!=' if inverted else '=='} 0x{value:x}"
        else:
            yield f"{chunk} {'missing' if inverted else 'exists'}"


def _show_flags(row: int, mask: int, value: int) -> str:
    letters = CHUNKS[row][2]
    return ":" + "".join(
        letters[i] if value & 0x80 >> i else letters[i].lower() for i in range(8) if mask & 0x80 >> i
    )


def _show_chunks(chunks: Chunks, numeric: bool) -> str:
    how, kinds, flags = chunks
    if kinds in (0, ALL):
        return f" {how} {'ALL' if kinds else 'NONE'}"
    words = []
    for kind in range(256):
        if kinds >> kind & 1:
            word = f"0x{kind:04X}" if numeric else NAMES.get(kind, "")
            # flags are filed by row, so that those of types above 14 are not seen again
            words.append(word + "".join(_show_flags(*each) for each in flags if each[0] == kind))
    return f" {how} {','.join(words)}"


def _chunks_match(pkt: Packet, chunks: Chunks) -> bool:
    """Walk the chunks; hotdrops a chunk that cannot be read or has no length."""
    how, kinds, flags = chunks
    wanted = {row: (mask, value) for row, mask, value in reversed(flags)}
    at, missing = pkt.l4 + 12, kinds
    while True:
        head = pkt.data[at : at + 4]
        length = int.from_bytes(head[2:4], "big") if len(head) == 4 else 0
        if not length:
            pkt.hotdrop = True
            return False
        kind, at = head[0], at + (length + 3 & ~3)
        mask, value = wanted.get(kind, (0, 0))
        good = head[1] & mask == value
        if kinds >> kind & 1:
            if how == "any" and good:
                return True
            if how == "all" and good:
                missing &= ~(1 << kind)
            if how == "only" and not good:
                return False
        elif how == "only":
            return False
        if at >= pkt.length:
            return not missing if how == "all" else how == "only"


@dataclass(frozen=True, slots=True)
class Sctp(Match):
    """Ports are inclusive (low, high), None when not asked."""

    NAME: ClassVar[str] = "sctp"
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({132})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("source-port", port_range("sctp"), "sport", invert=True, once="Only one `--source-port' allowed", ident=49,
            metavar="port[:port]", help="source port, or a range"),
        Opt("sport", port_range("sctp"), "sport", invert=True, once="Only one `--source-port' allowed", ident=49),
        Opt("destination-port", port_range("sctp"), "dport", invert=True, ident=50,
            once="Only one `--destination-port' allowed", metavar="port[:port]", help="destination port, or a range"),
        Opt("dport", port_range("sctp"), "dport", invert=True, once="Only one `--destination-port' allowed", ident=50),
        Opt("chunk-types", _chunks, invert=True, once="Only one `--chunk-types' allowed", ident=51, words=2,
            metavar="all|any|only type[:flags][,...]",
            help="all, any or only these chunks are there; a flag in capitals must be set, else not set"),
    )  # fmt: skip

    sports: PortRange | None = None
    not_sports: bool = False
    dports: PortRange | None = None
    not_dports: bool = False
    chunks: Chunks | None = None
    not_chunks: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        chunks = given.get("chunk-types")
        return cls(
            *given_ports(given, "sport"), *given_ports(given, "dport"),
            chunks.value if chunks else None, bool(chunks and chunks.inverted),
        )  # fmt: skip

    def save(self, base: Base) -> str:
        out = save_given_ports("sport", self.sports, self.not_sports)
        out += save_given_ports("dport", self.dports, self.not_dports)
        if self.chunks is not None:
            out += f"{' !' if self.not_chunks else ''} --chunk-types{_show_chunks(self.chunks, False)}"
        return out

    def listing(self, numeric: bool, base: Base) -> str:
        out = " sctp"
        if self.sports is not None:
            out += list_ports("spt", self.sports, self.not_sports, numeric, "sctp")
        if self.dports is not None:
            out += list_ports("dpt", self.dports, self.not_dports, numeric, "sctp")
        if self.chunks is not None:
            out += f"{' !' if self.not_chunks else ''}{_show_chunks(self.chunks, numeric)}"
        return out

    def translate(self, base: Base) -> str | None:
        words = nft.ports("sctp sport", self.sports, self.not_sports, all_of_them=True)
        words += nft.ports("sctp dport", self.dports, self.not_dports, all_of_them=True)
        if self.chunks is not None:
            if self.chunks[0] == "any":
                return None
            words += _nft_chunks(self.chunks, self.not_chunks)
        elif not words:
            return None
        return " ".join(words)

    def region(self, base: Base) -> Region:
        clauses = tuple(
            within(option, (ports,), inverted, save_given_ports(option, ports, inverted).strip())
            for option, ports, inverted in (
                ("sport", self.sports, self.not_sports),
                ("dport", self.dports, self.not_dports),
            )
            if ports is not None
        )
        return Region((clauses,), Header(12))

    def compile(self, cx: Compile) -> Test:
        plain, chunks, inverted = self.region(cx.base).test(), self.chunks, self.not_chunks
        if chunks is None:
            return plain

        def test(pkt: Packet, ctx: Context) -> bool:
            return plain(pkt, ctx) and _chunks_match(pkt, chunks) is not inverted

        return test


EXTENSIONS = (Sctp,)
