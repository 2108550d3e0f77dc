"""The plain text and the tree: what people read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iptables_emu.trace.events import Fate, Logged, Noted, PacketStart, RuleHit, RuleSkipped, TableEntered
from iptables_emu.trace.render import FORMATS, render
from iptables_emu.trace.trace import Trace
from tests.trace.trace_samples import forwarded, looped, rejected

FORWARDED = """\
packet 1: 10.8.0.9:4000 > 1.2.3.4:80 tcp syn ttl 64   in eth1
  PREROUTING  in eth1
    conntrack NEW  tcp 6 120 SYN_SENT src=10.8.0.9 dst=1.2.3.4 sport=4000 dport=80 [UNREPLIED] src=1.2.3.4 dst=10.8.0.9
    mangle
      rule 1    -A PREROUTING -i eth1 -j MARK --set-xmark 0x2/0xffffffff
      mark      0x0 -> 0x2
      policy    PREROUTING  => ACCEPT
  route     1.2.3.4 via 192.168.5.1 dev eth0
  FORWARD  in eth1 out eth0 mark 0x2
    filter
                2 rules did not match
      rule 3    -A FORWARD -j LAN
                  1 rule did not match
        end       of LAN, back to FORWARD
      rule 4    -A FORWARD -i eth1 -j ACCEPT  => ACCEPT
  POSTROUTING  out eth0 mark 0x2
    nat
      rule 1    -A POSTROUTING -s 10.8.0.0/24 -o eth0 -j SNAT --to-source 192.168.5.3  => ACCEPT
    rewrite   source 10.8.0.9 -> 192.168.5.3
    conntrack kept  tcp 6 120 SYN_SENT src=10.8.0.9 dst=1.2.3.4 sport=4000 dport=80 [UNREPLIED] src=1.2.3.4 dst=10.8.0.9
  sent      out eth0: 192.168.5.3:4000 > 1.2.3.4:80 tcp
ACCEPT  forwarded out eth0 as 192.168.5.3:4000 > 1.2.3.4:80 tcp
"""

REJECTED = """\
packet 1: 10.0.0.9:1024 > 10.0.0.1:22 tcp syn ttl 64   in eth0
  INPUT  in eth0
    filter
      rule 1    -A INPUT -j LOG --log-prefix "in "
      log       in IN=eth0 OUT= SRC=10.0.0.9 DST=10.0.0.1
      rule 2    -A INPUT -p tcp -m tcp --dport 22 -j REJECT --reject-with tcp-reset  => DROP
      packet 2  the answer of this host: 10.0.0.1:22 > 10.0.0.9:1024 tcp
  packet 2: 10.0.0.1:22 > 10.0.0.9:1024 tcp rst,ack ttl 64   the answer of this host
    OUTPUT  out eth0
      filter    policy ACCEPT
    sent      out eth0: 10.0.0.1:22 > 10.0.0.9:1024 tcp
    packet 2: ACCEPT  sent out eth0 as 10.0.0.1:22 > 10.0.0.9:1024 tcp
REJECT  by filter INPUT rule 2, answered 10.0.0.1:22 > 10.0.0.9:1024 tcp
"""

TREE = """\
packet 1  127.0.0.1 > 127.0.0.1 icmp echo-request ttl 64   made on this host
├── OUTPUT  out lo
│   ├── filter  policy ACCEPT
│   └── packet 2  comes back over lo: 127.0.0.1 > 127.0.0.1 icmp echo-request
└── packet 2  127.0.0.1 > 127.0.0.1 icmp echo-request ttl 64   comes back over lo
    ├── INPUT  in lo
    │   └── filter  policy DROP
    └── DROP  by the policy of filter INPUT
DROP  by the policy of filter INPUT
"""


def test_forwarded() -> None:
    assert forwarded().text() == FORWARDED


def test_rejected() -> None:
    assert str(rejected()) == REJECTED


def test_tree() -> None:
    assert render(looped("drop"), "tree", width=100) == TREE


def test_why_names_the_clause_and_the_value() -> None:
    text = forwarded().text(why=True)
    assert "      rule 1    -A FORWARD -s 10.9.0.0/16 -j DROP\n" in text
    assert "                  no: -s 10.9.0.0/16   (packet: source 10.8.0.9)\n" in text
    assert "did not match" not in text


def test_tree_nests_user_chains() -> None:
    tree = render(forwarded(), "tree", why=True, width=120)
    assert "│       ├── rule 3  -A FORWARD -j LAN\n│       │   ├── rule 1  -A LAN -o eth7 -j DROP\n" in tree
    assert "│       └── rule 4" in tree


def test_tree_keeps_to_the_width() -> None:
    assert max(map(len, render(forwarded(), "tree", why=True, width=60).splitlines())) <= 60


def test_color_is_only_made_when_asked_for() -> None:
    assert "\x1b[" in render(rejected(), "tree", color=True, width=100)
    plain = render(rejected(), "tree", color=False, width=100)
    assert "\x1b" not in plain
    colored = render(rejected(), "tree", color=True, width=100)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_markup_of_a_comment_is_text() -> None:
    comment = '-m comment --comment "[bold red]x[/] :smile: [link=http://x]" '
    assert comment in render(rejected(comment), "tree", width=200)


def test_unknown_format_says_what_there_is() -> None:
    with pytest.raises(ValueError, match="choose one of tree, text, json"):
        render(forwarded(), "xml")


def test_control_characters_are_shown() -> None:
    assert r"\x1b[2J\x07\x9b\x0a\u202e\xff" in rejected("\x1b[2J\x07\x9b\n\u202e\udcff ").text()


nasty = st.text(st.one_of(st.characters(max_codepoint=0x1F), st.characters(min_codepoint=0x7F, max_codepoint=0x9F),
                          st.sampled_from("[]/\\&<>:\"' a\u202e\u2028\udc9b"), st.characters()),
                              max_size=20)  # fmt: skip


@given(nasty, nasty, st.sampled_from(FORMATS), st.booleans())
def test_nothing_from_outside_reaches_the_terminal_raw(text: str, other: str, fmt: str, why: bool) -> None:
    data = bytes(rejected().events[0].data)  # type: ignore[attr-defined]  # a PacketStart
    events = (
        PacketStart(1, "wire", other, "", data),
        TableEntered(1, "INPUT", "filter", other, "", 0, data),
        RuleSkipped(1, "filter", other, 1, text, text, other),
        RuleHit(1, "filter", other, 2, text, "jump:" + other, other),
        Logged(1, text),
        Noted(1, other),
        RuleHit(1, "filter", other, 1, text, "drop"),
        Fate(1, "dropped", text),
    )
    out = render(Trace(events), fmt, why=why, color=False, width=80)
    assert not [c for c in out if not c.isprintable() and c != "\n"]
    out.encode()
