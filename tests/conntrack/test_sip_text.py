"""Where things stand in SIP messages: each line was learnt from the kernel's answers (kernel: nf_conntrack_sip.c)."""

from __future__ import annotations

import pytest

from iptables_emu.conntrack.helpers import sdp_text
from iptables_emu.conntrack.helpers.sip_text import (
    BAD,
    CONTACT,
    CSEQ,
    FROM,
    VIA_UDP,
    Header,
    SipText,
    Span,
    UriWalk,
    bracketed_at,
    line_starts,
    number,
    port_at,
)

FIRST = b"INVITE sip:bob@203.0.113.7 SIP/2.0\r\n"


def part(headers: bytes, kind: Header, family: int = 4) -> bytes | str | None:
    """What interests in a message's first header of a kind."""
    sip = SipText(FIRST + headers + b"\r\n\r\n", family)
    found = sip.header(kind)
    return sip.text[found.start : found.end] if isinstance(found, Span) else found and found[0]


@pytest.mark.parametrize(
    ("headers", "kind", "wanted"),
    [
        (b"CSeq: 12 INVITE", CSEQ, b"12"),
        (b"cseq :\t 12 INVITE", CSEQ, b"12"),
        (b"CSeq:\r\n 12 INVITE", CSEQ, b"12"),
        (b"CSeq:\r\n12 INVITE", CSEQ, None),
        (b"CSeq: INVITE", CSEQ, BAD),
        (b"CSequence: 1", CSEQ, None),
        (b"From: <sip:a@10.8.0.11:5060>", FROM, b"10.8.0.11:5060"),
        (b"f: <sip:10.8.0.11>", FROM, b"10.8.0.11"),
        (b"fr: <sip:10.8.0.11>", FROM, None),
        (b"From: <sips:10.8.0.11>", FROM, BAD),
        (b"Via: SIP/2.0/UDP 10.8.0.11:5060;rport", VIA_UDP, b"10.8.0.11:5060"),
        (b"Via: SIP/2.0/TCP 10.8.0.11:5060;rport", VIA_UDP, BAD),
        (b"Via: SIP/2.0/UDP 10.8.0.11:80;rport", VIA_UDP, BAD),
    ],
)
def test_headers(headers: bytes, kind: Header, wanted: bytes | str | None) -> None:
    assert part(headers, kind) == wanted


def test_ipv6_addresses_stand_in_brackets() -> None:
    assert part(b"From: <sip:a@[fd00:2::11]:5061>", FROM, 6) == b"[fd00:2::11]:5061"
    assert part(b"From: <sip:a@fd00:2::11>", FROM, 6) == BAD
    assert bracketed_at(b"fd00::1;x", 0, 9, 6) is None
    assert bracketed_at(b"fd00::1;x", 0, 9, 6, strict=False) == (0xFD00 << 112 | 1, 7)


def test_unreadable_headers_are_passed_over() -> None:
    walk = UriWalk(
        SipText(FIRST + b"Contact: <sip:a@x>, <sip:b@10.8.0.11>\r\nm: <sip:c@10.8.0.12>\r\n\r\n", 4), CONTACT
    )
    found = [walk.next(), walk.next(), walk.next()]
    # behind the first, unreadable one the walk goes on with the next header, not with the next value
    assert [place and place[0].address & 255 for place in found if place != BAD] == [12, None, None]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [(b":5060;", (5060, 5)), (b":05060;", (5060, 6)), (b":005060;", None), (b":80;", None), (b":;", None),
     (b":5060", None), (b";", (5060, 0)), (b"", None)],
)  # fmt: skip
def test_ports(text: bytes, wanted: tuple[int, int] | None) -> None:
    assert port_at(text, 0) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [(b"10 x", (10, 2)), (b"010", (10, 3)), (b"x", (0, 0)), (b"4294967295", (0xFFFFFFFF, 10)), (b"4294967296", (0, 0)),
     (b"000000000001", (0, 0))],
)  # fmt: skip
def test_numbers(text: bytes, wanted: tuple[int, int]) -> None:
    assert number(text, 0) == wanted


def test_lines_begin_behind_any_line_end() -> None:
    assert list(line_starts(b"a\r\nb\nc\rd", 0)) == [3, 5, 7]
    # the first byte of a line is not looked at again: so a line after an empty one that ends in LF alone is not seen
    assert list(line_starts(b"a\n\nb", 0)) == [2]
    assert list(line_starts(b"a\r\n\r\nb", 0)) == [3, 5]


def test_session_descriptions() -> None:
    text = SipText(b"x\r\nv=0\r\nc=IN IP4 10.8.0.11\r\nm=audio 4000 RTP\r\nc=IN IP4 10.8.0.12/9\r\n", 4)
    assert sdp_text.line(text, 0, sdp_text.VERSION) == Span(5, 6)
    found = sdp_text.address(text, 0, sdp_text.CONNECTION, sdp_text.MEDIA)
    assert found is not None and found[0] == 0x0A08000B
    media = sdp_text.line(text, 0, sdp_text.MEDIA)
    assert isinstance(media, Span) and text.text[media.start : media.end] == b"audio 4000"
    # nothing before the next medium
    assert sdp_text.address(text, 0, sdp_text.OWNER, sdp_text.MEDIA) is None
