"""A packet said in iptables' own flags: ``-i eth0 -p tcp -s 10.0.0.5 --sport 4000 -d 1.2.3.4 --dport 80 --syn``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Final

from iptables_emu.packet.printable import printable
from iptables_emu.packet.spec_values import Item, PacketError

SHORT: Final = {"i": "in", "o": "out", "p": "proto", "s": "src", "d": "dst", "m": "match", "4": "family4",
                "6": "family6"}  # fmt: skip
LONG: Final = {
    "in-interface": "in", "out-interface": "out", "protocol": "proto", "source": "src", "src": "src",
    "destination": "dst", "dst": "dst", "match": "match", "ipv4": "family4", "ipv6": "family6",
    "sport": "sport", "source-port": "sport", "dport": "dport", "destination-port": "dport",
    "syn": "syn", "tcp-flags": "tcp-flags", "icmp-type": "icmp", "icmpv6-type": "icmp",
    "ttl": "ttl", "ttl-eq": "ttl", "hl": "ttl", "hl-eq": "ttl", "tos": "tos", "length": "len", "mac-source": "mac",
    "mark": "mark", "uid-owner": "uid", "payload": "payload", "seq": "seq", "ack": "ack", "window": "window",
    "id": "id", "local": "local",
}  # fmt: skip
FLAGS_ONLY: Final = frozenset({"family4", "family6", "syn", "local"})
FRAGMENT_HINT: Final = "a fragment is said in a scenario, by mf and frag"
TARGET_HINT: Final = "a packet has no target: leave it out"
STATE_HINT: Final = "the state follows from the packets before it: send those first, in a scenario or one after another"
REFUSED: Final = {
    "state": STATE_HINT, "ctstate": STATE_HINT,
    "j": TARGET_HINT, "jump": TARGET_HINT,
    "g": TARGET_HINT, "goto": TARGET_HINT,
    "f": FRAGMENT_HINT, "fragment": FRAGMENT_HINT,
    "A": "this is a rule, not a packet: begin at -i or -p", "I": "this is a rule, not a packet: begin at -i or -p",
    "t": "a packet passes every table: leave it out", "table": "a packet passes every table: leave it out",
}  # fmt: skip


class _Words:
    """The words with their columns in the line that they make."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.at = 0
        self.columns: list[int] = []
        column = 1
        for word in words:
            self.columns.append(column)
            column += len(word) + 1
        self.end = column

    def take(self) -> tuple[str, int]:
        self.at += 1
        return self.words[self.at - 1], self.columns[self.at - 1]

    def value(self, said: str) -> tuple[str, int]:
        """The next word, which is the value of ``said``."""
        if self.at >= len(self.words):
            raise PacketError(f"{said} needs a value behind it", self.end - 1)
        return self.take()


def read_flags(words: Sequence[str]) -> Iterator[Item]:
    """What the words say, in their order. Raises PacketError."""
    line = _Words(words)
    while line.at < len(words):
        word, column = line.take()
        if word == "!":
            raise PacketError('a packet has one value for everything: "!" makes no sense here, leave it out', column)
        if word[:1] != "-" or word in ("-", "--"):
            raise PacketError(
                f'"{printable(word)}" stands alone: an option must come before it, as -s or --dport', column
            )
        yield from _option(line, word, column)


def _option(line: _Words, word: str, column: int) -> Iterator[Item]:
    said, value, at = _split(word, column)
    name = said.lstrip("-")
    if name in REFUSED:
        raise PacketError(f"{said}: {REFUSED[name]}", column)
    key = _long(name, column) if said.startswith("--") else _short(name, column)
    if key in FLAGS_ONLY:
        if value is not None and said.startswith("--"):
            raise PacketError(f"{said} takes no value", at)
        yield Item("flags", "S", column, said) if key == "syn" else Item(key, "", column, said)
        return
    text, where = (value, at) if value is not None else line.value(said)
    if key == "tcp-flags":  # mask and flags: the packet has just the flags
        text, where = line.value(f"{said} {printable(text)}")
        yield Item("flags", text, where, said)
    elif key == "match":
        if text[:1].isdigit():
            yield Item("mark", text, where, said)  # any other -m only names the match whose option follows
    else:
        yield Item(key, text, where, said)


def _split(word: str, column: int) -> tuple[str, str | None, int]:
    """(option, its glued value or None, the value's column)."""
    if word.startswith("--"):
        said, equals, value = word.partition("=")
        return said, value if equals else None, column + len(said) + 1
    return word[:2], word[2:] or None, column + 2


def _short(name: str, column: int) -> str:
    if name not in SHORT:
        raise PacketError(f"unknown option -{printable(name)}: a packet takes -i -o -p -s -d and long options", column)
    return SHORT[name]


def _long(name: str, column: int) -> str:
    if name in LONG:
        return LONG[name]
    found = {key for full, key in LONG.items() if full.startswith(name)}
    if len(found) == 1:
        return found.pop()
    if found:
        choices = ", ".join(f"--{full}" for full in sorted(LONG) if full.startswith(name))
        raise PacketError(f"--{printable(name)} could be {choices}: write it out", column)
    close = difflib.get_close_matches(name, LONG, 1)
    hint = f"did you mean --{close[0]}?" if close else "a packet takes -i -o -p -s -d --sport --dport --syn ..."
    raise PacketError(f"unknown option --{printable(name)}: {hint}", column)
