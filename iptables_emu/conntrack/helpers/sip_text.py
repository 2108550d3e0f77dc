"""Where things stand in a SIP message (kernel: ct_sip_get_header and its kin in nf_conntrack_sip.c).

Offsets are from the message's beginning; ``BAD`` says that something is there and cannot be read, None that it is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from iptables_emu.model.address import parse_plain

BAD: Final = "bad"
Bad = Literal["bad"]
SIP_PORT = 5060
LEAST_PORT, MOST_PORT = 1024, 65535
BLANKS = b" \t"
U32, MOST_DIGITS = 0xFFFFFFFF, 11

_LINE_END = re.compile(rb"\r\n|\r|\n")
_DIGITS = re.compile(rb"\d*")
_PORT = re.compile(rb"\d{1,5}(?=\D)")
# as the kernel's isalpha has it: Latin-1
LETTERS: Final = re.compile(rb"[A-Za-z\xaa\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\xff]*")
_V4: Final = re.compile(rb"(\d+)\.(\d+)\.(\d+)\.(\d+)(?![.\da-fA-F])")
_V6: Final = re.compile(rb"[0-9a-fA-F:.]+")


class Span(NamedTuple):
    """A part of the message, ``end`` behind its last byte."""

    start: int
    end: int


class Place(NamedTuple):
    """An address and port in the message, and where."""

    address: int
    port: int
    span: Span


@dataclass(frozen=True, slots=True)
class Header:
    """A kind of header: its name, its short name, what precedes the interesting part, and what that is."""

    name: bytes
    short: bytes
    before: bytes
    value: Literal["digits", "address", "user at address"]


CSEQ = Header(b"cseq", b"", b"", "digits")
EXPIRES = Header(b"expires", b"", b"", "digits")
CONTENT_LENGTH = Header(b"content-length", b"l", b"", "digits")
FROM = Header(b"from", b"f", b"sip:", "user at address")
TO = Header(b"to", b"t", b"sip:", "user at address")
CONTACT = Header(b"contact", b"m", b"sip:", "user at address")
VIA_UDP = Header(b"via", b"v", b"udp ", "address")
VIA_TCP = Header(b"via", b"v", b"tcp ", "address")


def number(text: bytes, at: int, limit: int | None = None) -> tuple[int, int]:
    """(value, end) of the digits at a place; too many, or a value of more than 32 bits, are (0, ``at``) as none are."""
    found = _DIGITS.match(text, at, len(text) if limit is None else limit)
    digits = found[0] if found else b""
    value = int(digits or b"0") if len(digits) <= MOST_DIGITS else U32 + 1
    return (value, at + len(digits)) if value <= U32 else (0, at)


def port_at(text: bytes, at: int) -> tuple[int, int] | None:
    """(port, end) of what may follow an address; None when it is no port, or nothing follows it (sip_parse_port)."""
    if at >= len(text):
        return None
    if text[at : at + 1] != b":":
        return SIP_PORT, at
    found = _PORT.match(text, at + 1)
    if found is None or not LEAST_PORT <= int(found[0]) <= MOST_PORT:
        return None
    return int(found[0]), found.end()


def address_at(text: bytes, at: int, limit: int, family: int) -> tuple[int, int] | None:
    """(address, end) of a numeric address (in4_pton, in6_pton with any delimiter)."""
    if family == 4:
        found = _V4.match(text, at, limit)
        parts = [int(part) for part in found.groups()] if found else []
        if found is None or max(parts) > 255:
            return None
        return int.from_bytes(bytes(parts), "big"), found.end()
    found = _V6.match(text, at, limit)
    value = parse_plain(found[0].decode(), 6) if found else None
    return None if found is None or value is None else (value, found.end())


def bracketed_at(text: bytes, at: int, limit: int, family: int, *, strict: bool = True) -> tuple[int, int] | None:
    """(address, end) as in a URI, where IPv6 has brackets; unless ``strict`` it may lack them (sip_parse_addr)."""
    if family == 4:
        return address_at(text, at, limit, 4)
    opened = text[at : min(at + 1, limit)] == b"["
    found = address_at(text, at + opened, limit, 6) if opened or not strict else None
    if found is None:
        return None
    closed = text[found[1] : min(found[1] + 1, limit)] == b"]"
    return (found[0], found[1] + closed) if closed or not strict else None


def line_starts(text: bytes, at: int) -> Iterator[int]:
    """Where lines begin behind ``at``; the first byte of each is never taken for another line's end."""
    while True:
        found = _LINE_END.search(text, at)
        if found is None or found.end() >= len(text):
            return
        yield found.end()
        at = found.end() + 1


class SipText:
    """One message. ``low`` is the same in small letters."""

    def __init__(self, text: bytes, family: int) -> None:
        self.text, self.low, self.family = text, text.lower(), family

    # -- headers -------------------------------------------------------------------------------------

    def header(self, kind: Header, at: int = 0) -> Span | tuple[Bad, int] | None:
        """What interests in the next header of a kind, or (BAD, where) (ct_sip_get_header)."""
        for start in line_starts(self.text, at):
            if self.text[start] in BLANKS:
                continue
            behind = self._behind_name(kind, start)
            if behind < 0:
                continue
            colon = self._past_blanks(behind)
            if colon is None or self.text[colon : colon + 1] != b":" or colon + 1 >= len(self.text):
                return None
            value = self._past_blanks(colon + 1)
            return None if value is None else self._interesting(kind, value)
        return None

    def _behind_name(self, kind: Header, start: int) -> int:
        if self.low.startswith(kind.name, start):
            return start + len(kind.name)
        end = start + len(kind.short)
        letter = LETTERS.match(self.text, end, end + 1)
        if kind.short and self.low.startswith(kind.short, start) and end < len(self.text) and letter and not letter[0]:
            return end
        return -1

    def _interesting(self, kind: Header, at: int) -> Span | tuple[Bad, int]:
        start = at
        if kind.before:
            found = self.search(at, len(self.text), kind.before)
            if found is None:
                return BAD, at
            start = found + len(kind.before)
        span = self._value(kind, start)
        return (BAD, at) if span is None else span

    def next_value(self, kind: Header, at: int) -> Span | tuple[Bad, int] | None:
        """The same in what follows a comma of the same header (ct_sip_next_header)."""
        comma = self.search(at, len(self.text), b",")
        found = None if comma is None else self.search(comma, len(self.text), kind.before)
        if found is None:
            return None
        start = found + len(kind.before)
        span = self._value(kind, start)
        return (BAD, start) if span is None else span

    def _value(self, kind: Header, at: int) -> Span | None:
        if kind.value == "digits":
            digits = _DIGITS.match(self.text, at)
            return Span(at, digits.end()) if digits and digits[0] else None
        if kind.value == "user at address":
            at = self.behind_user(at)
        found = bracketed_at(self.text, at, len(self.text), self.family)
        port = port_at(self.text, found[1]) if found else None
        return Span(at, port[1]) if port else None

    def behind_user(self, at: int) -> int:
        """Behind the ``user@`` of a URI, if there is one on the line."""
        end = _LINE_END.search(self.text, at)
        found = self.text.find(b"@", at, end.start() if end else len(self.text))
        return at if found < 0 else found + 1

    def search(self, at: int, limit: int, needle: bytes) -> int | None:
        """Where a word is in a header's value; it does not end the text (ct_sip_header_search)."""
        while True:
            end = _LINE_END.search(self.low, at, limit)
            stop = end.start() if end else limit
            found = self.low.find(needle, at, min(stop, limit - 1))
            if found >= 0:
                return found
            if end is None or stop >= limit - len(needle):
                return None
            resumed = self._continued(stop, limit - len(needle))
            if resumed is None:
                return None
            at = resumed + 1

    def _continued(self, at: int, limit: int) -> int | None:
        """Behind a line's end and the blanks that continue it (sip_follow_continuation)."""
        at += 2 if self.text[at : at + 2] == b"\r\n" else 1
        if at >= limit or self.text[at] not in BLANKS:
            return None
        return self._behind_blanks(at, limit)

    def _behind_blanks(self, at: int, limit: int) -> int:
        while at < limit and self.text[at] in BLANKS:
            at += 1
        return at

    def _past_blanks(self, at: int) -> int | None:
        at = self._behind_blanks(at, len(self.text))
        return self._continued(at, len(self.text)) if self.text[at : at + 1] in (b"\r", b"\n") else at

    # -- addresses and numbers -----------------------------------------------------------------------

    def request_uri(self) -> Place | None:
        """The address in a request's first line (ct_sip_parse_request)."""
        method = LETTERS.match(self.text)
        if method is None or not method[0] or method.end() + 1 >= len(self.text):
            return None
        end = _LINE_END.search(self.text, method.end() + 1)
        found = self.low.find(b"sip:", method.end() + 1, len(self.text) - 1)
        if end is not None and end.start() < len(self.text) - 4 and not 0 <= found < end.start():
            return None
        at = self.behind_user(found + 4 if found >= 0 else max(method.end() + 1, len(self.text) - 4))
        return self.place_at(at)

    def place_at(self, at: int) -> Place | None:
        """An address and port; SIP's port unless another is told, which must not be a privileged one."""
        found = bracketed_at(self.text, at, len(self.text), self.family)
        port = port_at(self.text, found[1]) if found else None
        return Place(found[0], port[0], Span(at, port[1])) if found and port else None

    def uri(self, kind: Header) -> tuple[Place, Span] | Bad | None:
        """The address in the first readable header of a kind, and the header's whole part (ct_sip_parse_header_uri)."""
        return UriWalk(self, kind).next()

    def parameter(self, at: int, name: bytes) -> Span | None:
        """A parameter's value in a header's value that begins at ``at``, up to the next semicolon."""
        limit, start = self._named(at, name)
        if start is None:
            return None
        end = self.search(start, limit, b";")
        return Span(start, limit if end is None else end)

    def address_parameter(self, at: int, name: bytes, *, strict: bool) -> tuple[int, Span] | None:
        limit, start = self._named(at, name)
        found = None if start is None else bracketed_at(self.text, start, limit, self.family, strict=strict)
        return None if found is None or start is None else (found[0], Span(start, found[1]))

    def number_parameter(self, at: int, name: bytes) -> tuple[int, Span] | Bad | None:
        limit, start = self._named(at, name)
        if start is None:
            return None
        value, end = number(self.text, start, limit)
        return BAD if end == start else (value, Span(start, end))

    def _named(self, at: int, name: bytes) -> tuple[int, int | None]:
        comma = self.search(at, len(self.text), b",")
        limit = len(self.text) if comma is None else comma
        found = self.search(at, limit, name)
        return limit, None if found is None else found + len(name)


class UriWalk:
    """The addresses in all headers of a kind, one after the other; the text may be exchanged in between."""

    def __init__(self, text: SipText, kind: Header) -> None:
        self.sip, self.kind = text, kind
        self.at, self.within = 0, False

    def next(self) -> tuple[Place, Span] | Bad | None:
        """(place, the header's whole part); BAD ends the walk."""
        span = self._walk()
        if span is None:
            return None
        place = self.sip.place_at(span.start)
        if place is None:
            return BAD
        self.at = place.span.end
        return place, span

    def _walk(self) -> Span | None:
        at = self.at
        while self.within:
            found = self.sip.next_value(self.kind, at)
            if isinstance(found, Span):
                return found
            if found is None:
                self.within = False
            else:
                at = found[1]
        while True:
            found = self.sip.header(self.kind, at)
            if isinstance(found, Span):
                self.within = True
                return found
            if found is None:
                return None
            at = found[1]
