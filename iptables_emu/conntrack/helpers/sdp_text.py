"""Where things stand in a session description (kernel: ct_sip_get_sdp_header in nf_conntrack_sip.c)."""

from __future__ import annotations

import re
from typing import Final, Literal

from iptables_emu.conntrack.helpers.sip_text import BAD, LETTERS, Bad, SipText, Span, address_at, line_starts

Line = Literal["v", "o", "c", "m"]
VERSION: Final = "v"
OWNER: Final = "o"
CONNECTION: Final = "c"
MEDIA: Final = "m"
_DIGITS: Final = re.compile(rb"\d*")
_END: Final = re.compile(rb"[\r\n]")


def line(sip: SipText, at: int, kind: Line, until: Line | None = None) -> Span | Bad | None:
    """What interests in the next line of a kind, unless one of the kind ``until`` comes before: a version's number,
    an owner's or a connection's address, a medium's name and port."""
    for start in line_starts(sip.text, at):
        if until is not None and sip.low.startswith(until.encode() + b"=", start):
            return None
        if sip.low.startswith(kind.encode() + b"=", start):
            found = _value(sip, kind, start + 2)
            return BAD if found is None else found
    return None


def _value(sip: SipText, kind: Line, at: int) -> Span | None:
    if kind == VERSION:
        return _digits(sip.text, at, at)
    if kind == MEDIA:
        name = LETTERS.match(sip.text, at)
        end = name.end() if name else at
        if sip.text[end : end + 1] != b" ":
            return None
        return _digits(sip.text, at, end + 1)
    before = b"IN IP4 " if sip.family == 4 else b"IN IP6 "
    end_of_line = _END.search(sip.text, at)
    stop = end_of_line.start() if end_of_line else len(sip.text)
    found = sip.text.find(before, at, min(stop, len(sip.text) - 1))
    value = address_at(sip.text, found + len(before), len(sip.text), sip.family) if found >= 0 else None
    return None if value is None else Span(found + len(before), value[1])


def _digits(text: bytes, start: int, at: int) -> Span | None:
    """From ``start`` to the end of the digits at ``at``; None when that is nothing."""
    found = _DIGITS.match(text, at)
    end = found.end() if found else at
    return Span(start, end) if end > start else None


def address(sip: SipText, at: int, kind: Line, until: Line) -> tuple[int, Span] | None:
    """The address in the next line of a kind, and where it is."""
    span = line(sip, at, kind, until)
    if span is None or span == BAD:
        return None
    found = address_at(sip.text, span.start, span.end, sip.family)
    return None if found is None else (found[0], span)
