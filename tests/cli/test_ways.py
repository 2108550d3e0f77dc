"""trace --unknown: what is assumed of matches that cannot be known, and every way there is."""

from __future__ import annotations

import pytest

from iptables_emu.cli.ways import MOST_WAYS, exit_status, ways
from iptables_emu.packet.packet import Packet
from iptables_emu.text.load import load_dump

RULES = "*filter\n-A INPUT -m cpu --cpu 0 -j ACCEPT\n-A INPUT -m cpu --cpu 1 -j DROP\n-A INPUT -j REJECT\nCOMMIT\n"
PACKET = "tcp 10.0.0.5:4000 > 192.0.2.1:80 in eth0 syn"


def verdicts(rules: str, unknown: str) -> list[str]:
    found = list(ways(load_dump(rules, 4, "nft"), None, Packet.parse(PACKET), unknown=unknown))
    return [way.trace.verdict for way in found]


@pytest.mark.parametrize(
    ("unknown", "expected"),
    [("", ["UNKNOWN"]), ("match", ["ACCEPT"]), ("miss", ["REJECT"]), ("fork", ["ACCEPT", "DROP", "REJECT"])],
)
def test_ways(unknown: str, expected: list[str]) -> None:
    assert verdicts(RULES, unknown) == expected


def test_headings_tell_what_was_assumed() -> None:
    found = list(ways(load_dump(RULES, 4, "nft"), None, Packet.parse(PACKET), unknown="fork"))
    assert [way.heading.count("misses") for way in found] == [0, 1, 2]
    assert found[1].heading.endswith("if this matches: -A INPUT -m cpu --cpu 1 -j DROP\n")


def test_nothing_is_assumed_unasked() -> None:
    (way,) = ways(load_dump(RULES, 4, "nft"), None, Packet.parse(PACKET))
    assert way.heading == ""


def test_all_ways_that_end_alike_are_known() -> None:
    rules = "*filter\n-A INPUT -m cpu --cpu 0 -j DROP\n-A INPUT -j DROP\nCOMMIT\n"
    found = list(ways(load_dump(rules, 4, "nft"), None, Packet.parse(PACKET), unknown="fork"))
    assert (len(found), exit_status(found)) == (2, 10)
    assert exit_status(list(ways(load_dump(RULES, 4, "nft"), None, Packet.parse(PACKET), unknown="fork"))) == 20


def test_the_number_of_ways_is_bounded() -> None:
    rules = "*filter\n" + "".join(f"-A INPUT -m cpu --cpu {n}\n" for n in range(12)) + "COMMIT\n"
    assert len(verdicts(rules, "fork")) == MOST_WAYS


def test_each_way_begins_alike() -> None:
    """The quota of the second rule is whole again on each way."""
    rules = "*filter\n-A INPUT -m cpu --cpu 0\n-A INPUT -m quota --quota 40 -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n"
    assert verdicts(rules, "fork") == ["ACCEPT", "ACCEPT"]


@pytest.mark.parametrize(("unknown", "expected"), [("", ["UNKNOWN"]), ("fork", ["ACCEPT", "DROP"])])
def test_a_proxys_socket_may_be_assumed(unknown: str, expected: list[str]) -> None:
    rules = "*mangle\n-A PREROUTING -p tcp -j TPROXY --on-port 90\nCOMMIT\n"
    assert verdicts(rules, unknown) == expected
