"""A packet said in one sentence: ``tcp 10.0.0.5:4000 > 1.2.3.4:80 in eth0 syn``.

The only place that imports pyparsing, and only when a sentence is read (0.1 s).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from iptables_emu.options import names
from iptables_emu.packet.icmp_names import ICMP_NAMES
from iptables_emu.packet.printable import printable
from iptables_emu.packet.spec_values import FLAG_NAMES, Item, PacketError

if TYPE_CHECKING:
    import pyparsing

# word -> (what it says, what must follow)
VALUED: Final = {
    "in": ("in", "an interface, as eth0"), "out": ("out", "an interface, as eth0"), "mark": ("mark", "a mark, as 0x1"),
    "ttl": ("ttl", "a number"), "hoplimit": ("ttl", "a number"), "tos": ("tos", "a number"),
    "type": ("type", "a number"), "code": ("code", "a number"), "len": ("len", "a length in bytes"),
    "length": ("len", "a length in bytes"), "mac": ("mac", "a MAC address"), "uid": ("uid", "a user's number"),
    "seq": ("seq", "a number"), "window": ("window", "a number"), "id": ("id", "a number"),
    "flags": ("flags", "TCP flags, as SA"), "proto": ("proto", "a protocol"),
    "sport": ("sport", "a port"), "dport": ("dport", "a port"),
}  # fmt: skip
ENDPOINT: Final = r"(?:(?!->)[^\s>])+"
LOOKS_LIKE_ENDPOINT: Final = rf"(?:(?=[^\s>]*[:.*]|\d){ENDPOINT}|any\b)"
SHAPE: Final = "a packet reads like: tcp 10.0.0.5:4000 > 1.2.3.4:80 in eth0 syn"


@cache
def _protocol_words() -> frozenset[str]:
    listed = {name for name in ("igmp", "gre", "ipip", "ospf", "vrrp", "pim", "l2tp") if names.protocol_number(name)}
    return frozenset(listed | {name for name in names.CHAIN_NUMBER if name != "all"})


@cache
def _grammar() -> pyparsing.ParserElement:
    import pyparsing as pp

    def value(pattern: str, name: str) -> pp.ParserElement:
        return pp.Regex(pattern).set_parse_action(lambda s, at, t: [(t[0], at + 1)]).set_name(name)

    def words(every: frozenset[str] | set[str], key: str) -> pp.ParserElement:
        made = pp.one_of(sorted(every), caseless=True, as_keyword=True)
        return made.set_parse_action(lambda s, at, t: [Item(key, t[0], at + 1, t[0])])

    def valued(word: str, key: str, name: str) -> pp.ParserElement:
        made = pp.CaselessKeyword(word) - value(r"\S+", name)
        return made.set_parse_action(lambda s, at, t: [Item(key, t[1][0], t[1][1], word)])

    quoted = pp.QuotedString('"', esc_char="\\") | pp.QuotedString("'", esc_char="\\") | pp.Regex(r"[^\s\"']\S*")
    payload = pp.CaselessKeyword("payload") - quoted.set_name('a text, as payload "hello"')
    payload.set_parse_action(lambda s, at, t: [Item("payload", t[1], at + 1, "payload")])
    ack = (pp.CaselessKeyword("ack") + value(r"\d\w*(?=\s|$)", "a number")).set_parse_action(
        lambda s, at, t: [Item("flag", "ack", at + 1, "ack"), Item("ack", t[1][0], t[1][1], "ack")]
    )
    host = (pp.CaselessKeyword("from") - pp.CaselessKeyword("host").set_name('"host"')).set_parse_action(
        lambda s, at, t: [Item("local", "", at + 1, "from host")]
    )
    arrow = pp.Regex(r"->|>|to\b", re.IGNORECASE)
    target = value(ENDPOINT, "a destination, as 1.2.3.4:80")
    flow = pp.Optional(value(LOOKS_LIKE_ENDPOINT, "a source")) + arrow - target
    flow.set_parse_action(lambda s, at, t: list(_flow(t)))
    icmp = {name for table in ICMP_NAMES.values() for name in table}
    keyed = [valued(word, key, name) for word, (key, name) in VALUED.items()]
    flag = words(set(FLAG_NAMES), "flag")
    icmp6 = pp.CaselessKeyword("icmp6")  # as the match is called
    icmp6.set_parse_action(lambda s, at, t: [Item("proto", "icmpv6", at + 1, "icmp6")])
    flags = flag + pp.ZeroOrMore(pp.Suppress(",") + flag)
    plain = [icmp6, flags, words(icmp, "icmp"), words(_protocol_words(), "proto")]
    clause = pp.MatchFirst([*keyed, payload, host, ack, *plain, flow])
    return pp.ZeroOrMore(clause).parse_with_tabs()


def _flow(tokens: Any) -> Iterator[Item]:
    *before, _, after = tokens
    if before:
        yield Item("from", before[0][0], before[0][1], "source")
    yield Item("to", after[0], after[1], "destination")


def read_sentence(text: str) -> list[Item]:
    """What the sentence says, in its order. Raises PacketError."""
    import pyparsing as pp

    grammar = _grammar()
    try:
        read = grammar.parse_string(text)
        end = pp.Empty().set_parse_action(lambda s, at, t: [at])
        whole = (grammar + end).parse_with_tabs().parse_string(text)
    except pp.ParseBaseException as problem:
        expected = problem.msg.removeprefix("Expected ").split(", found")[0]
        found = text[problem.loc :].split(maxsplit=1)
        instead = f', not "{printable(found[0])}"' if found else ""
        raise PacketError(f"expected {expected}{instead}", min(problem.loc, len(text)) + 1) from None
    rest = text[whole[-1] :].lstrip()
    if rest:
        raise _unknown(rest, len(text) - len(rest) + 1)
    return list(read)


def _unknown(rest: str, column: int) -> PacketError:
    word = rest.split(maxsplit=1)[0]
    shown = f'"{printable(word)}"'
    if re.match(LOOKS_LIKE_ENDPOINT, word):
        hint = f"write SOURCE > DESTINATION, or > {printable(word)}"
        return PacketError(f"{shown} could be source or destination: {hint}", column)
    known = {*VALUED, *FLAG_NAMES, *_protocol_words(), *ICMP_NAMES[4], *ICMP_NAMES[6], "payload", "from"}
    close = difflib.get_close_matches(word.lower(), sorted(known), 1)
    return PacketError(f"{shown} says nothing here: {f'did you mean {close[0]}?' if close else SHAPE}", column)
