"""What each protocol adds to the options (conntrack-tools: libct_proto_*.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.sctp_state import STATES as SCTP_STATES
from iptables_emu.conntrack.tcp_state import STATES as TCP_STATES
from iptables_emu.options.names import protocol_number
from iptables_emu.options.numbers import strict
from iptables_emu.text.getopt import REQUIRED, Long

DCCP = 33
DCCP_STATES = ("NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE", "INVALID")
MOST_PROTOCOL = 255
CONNECTION, TUPLE, MASK = "ct", "tuple", "mask"


@dataclass(frozen=True, slots=True)
class Handler:
    """One protocol. ``options``: long name -> place among ``flags``. ``keys``: what each flag sets, (object, key).

    ``takes``: per command a digit a flag (see tables). ``odd_tuple``: what is said of the tuple's ports spoils its
    protocol's number, as in the real program.
    """

    name: str
    number: int
    help: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    options: dict[str, int] = field(default_factory=dict)
    keys: tuple[tuple[str, str], ...] = ()
    takes: dict[str, str] = field(default_factory=dict)
    couple_names: tuple[tuple[str, str], ...] = ()
    states: tuple[str, ...] = ()
    code: int = 0x31  # getopt's number of the first flag
    odd_tuple: bool = False

    def longs(self, offset: int) -> dict[str, Long]:
        """For getopt, which tells options of several protocols apart by ``offset``."""
        return {name: Long(name, REQUIRED, at, self.code + at + offset) for name, at in self.options.items()}


_PORTS = (
    (CONNECTION, "orig_sport"), (CONNECTION, "orig_dport"), (CONNECTION, "repl_sport"), (CONNECTION, "repl_dport"),
    (MASK, "orig_sport"), (MASK, "orig_dport"),
)  # fmt: skip
_TUPLE_PORTS = ((TUPLE, "orig_sport"), (TUPLE, "orig_dport"))
_COUPLES = (("sport", "dport"), ("reply-src-port", "reply-dst-port"))


def _ports(word: str, first: tuple[str, str]) -> tuple[tuple[str, ...], dict[str, int], tuple[tuple[str, str], ...]]:
    """(flags, options, help) of ports or keys."""
    flags = (*first, f"reply-{word}-src", f"reply-{word}-dst", f"mask-{word}-src", f"mask-{word}-dst")
    options = {f"orig-{word}-src": 0, first[0]: 0, f"orig-{word}-dst": 1, first[1]: 1}
    options |= {name: at for at, name in enumerate(flags) if at > 1}
    shown = tuple(
        (name, meaning)
        for side, long in (("orig", "original"), ("reply", "reply"), ("mask", "mask"))
        for name, meaning in ((f"--{side}-{word}-src", f"{long} source {word}"),
                              (f"--{side}-{word}-dst", f"{long} destination {word}"))
    )  # fmt: skip
    tuples = tuple((f"--tuple-{word}-src", f"expectation tuple {end} {word}") for end in ("src", "dst"))  # sic
    return flags, options, shown + tuples


def _with_tuple(word: str, flags: tuple[str, ...], options: dict[str, int], more: tuple[str, ...] = ()) -> tuple[
    tuple[str, ...], dict[str, int]
]:  # fmt: skip
    """The flags and options with what comes between, and those of the expected tuple."""
    out = (*flags, *more, f"tuple-{word}-src", f"tuple-{word}-dst")
    return out, options | {name: at for at, name in enumerate(out) if at >= len(flags)}


def _plain(name: str, number: int, word: str = "port", first: tuple[str, str] = ("sport", "dport")) -> Handler:
    flags, options, shown = _ports(word, first)
    flags, options = _with_tuple(word, flags, options)
    takes = dict.fromkeys("LUDE", "22220000") | dict.fromkeys("IAG", "33330000")
    takes |= {"xI": "11111111" if word == "key" else "11001111", "xD": "11110000", "xG": "11110000"}
    couples = _COUPLES if word == "port" else (first, ("reply-src-key", "reply-dst-key"))
    return Handler(name, number, shown, flags, options, (*_PORTS, *_TUPLE_PORTS), takes, couples)


def _tcp() -> Handler:
    flags, options, shown = _ports("port", ("sport", "dport"))
    flags, options = _with_tuple("port", flags, options, ("state",))
    takes = dict.fromkeys("LUDE", "222200200") | dict.fromkeys("IA", "333300100")
    takes |= {"G": "333300200", "xI": "110011011", "xD": "111100000", "xG": "111100000"}
    return Handler("tcp", t.TCP, (*shown, ("--state", "TCP state, fe. ESTABLISHED")), flags, options,
                   (*_PORTS, (CONNECTION, "tcp"), *_TUPLE_PORTS), takes, _COUPLES, TCP_STATES,
                   odd_tuple=True)  # fmt: skip


def _sctp() -> Handler:
    flags, options, shown = _ports("port", ("sport", "dport"))
    flags, options = _with_tuple("port", flags, options, ("state",))
    options |= {"orig-vtag": 9, "reply-vtag": 10}
    more = (("--state", "SCTP state, fe. ESTABLISHED"), ("--orig-vtag", "original verification tag"),
            ("--reply-vtag", "reply verification tag"))  # fmt: skip
    takes = dict.fromkeys("LDE", "22220020000") | dict.fromkeys("IA", "33330010011") | {"U": "22220020022"}
    takes |= {"G": "33330020022", "xI": "11001101111", "xD": "11110000000", "xG": "11110000000"}
    keys = (*_PORTS, (CONNECTION, "sctp"), *_TUPLE_PORTS, (CONNECTION, "orig_vtag"), (CONNECTION, "repl_vtag"))
    return Handler("sctp", t.SCTP, (*shown, *more), (*flags, "orig-vtag", "reply-vtag"), options, keys, takes,
                   _COUPLES, SCTP_STATES[:8], code=1, odd_tuple=True)  # fmt: skip


def _dccp() -> Handler:
    flags, options, shown = _ports("port", ("sport", "dport"))
    flags, options = _with_tuple("port", flags, options, ("state",))
    takes = dict.fromkeys("LUDE", "2222002000") | dict.fromkeys("IA", "3333001001")
    takes |= {"G": "3333002000", "xI": "1100110111", "xD": "1111000000", "xG": "1111000000"}
    couples = (("sport", "dport"), ("reply-port-src", "report-port-dst"))
    keys = (*_PORTS, (CONNECTION, "dccp"), *_TUPLE_PORTS, (CONNECTION, "dccp_role"))
    return Handler("dccp", DCCP, (*shown, ("--state", "DCCP state, fe. RESPOND")), (*flags, "role"),
                   options | {"role": 9}, keys, takes, couples, DCCP_STATES, code=1, odd_tuple=True)  # fmt: skip


def _icmp(name: str, number: int) -> Handler:
    flags = tuple(f"{name}-{what}" for what in ("type", "code", "id"))
    takes = dict.fromkeys("LUDE", "222") | dict.fromkeys("IAG", "112")
    return Handler(name, number, tuple((f"--{flag}", flag.replace("-", " ")) for flag in flags), flags,
                   {flag: at for at, flag in enumerate(flags)},
                   tuple((CONNECTION, f"icmp_{what}") for what in ("type", "code", "id")), takes)  # fmt: skip


HANDLERS = (
    _tcp(), _plain("udp", t.UDP), _plain("udplite", t.UDPLITE), _sctp(), _dccp(), _icmp("icmp", t.ICMP),
    _icmp("icmpv6", t.ICMPV6), _plain("gre", t.GRE, "key", ("srckey", "dstkey")),
)  # fmt: skip
UNKNOWN = Handler("unknown", -1)


def find(name: str) -> tuple[Handler, int] | None:
    """(handler, number) of a protocol by name or number (findproto)."""
    for one in HANDLERS:
        if one.name == name.lower():
            return one, one.number
    number = protocol_number(name)
    if number is not None:
        return UNKNOWN, number
    number = strict(name, 0, MOST_PROTOCOL)
    if number is None:
        return None
    return next(((one, number) for one in HANDLERS if one.number == number), (UNKNOWN, number))


def named(number: int) -> str:
    """The name that entries are printed with."""
    return next((one.name for one in HANDLERS if one.number == number), "unknown")
