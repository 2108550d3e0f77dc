"""``conntrack`` answers as the real program did (``python -m tests.conntrack.sequences record``)."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.listing import ListingError, read_listing
from iptables_emu.conntrack.tcp_state import BE_LIBERAL
from iptables_emu.conntrack.tuples import Tuple
from iptables_emu.host.sysctl import Sysctls
from iptables_emu.store.connections import bring_back, keep
from iptables_emu.text.conntrack.program import run_conntrack
from tests.conntrack.sequences import CRASHED, START, Ours, one_cpu

ANSWERS = Path(__file__).with_name("answers.jsonl.gz")
MADE = ("-I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 4000 --dport 80 --state ESTABLISHED -t 500 -u ASSURED,SEEN_REPLY "
        "-m 7",
        "-I -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 5 --dport 53 -t 30 -n 192.0.2.1 -w 3",
        "-I -p icmpv6 -s fd00::1 -d fd00::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 9 -t 30")  # fmt: skip


def tracker() -> Conntrack:
    core = Conntrack(Sysctls(), random.Random(0))
    core.now = START
    core.record.wanted = True
    return core


def run(core: Conntrack, words: str) -> str:
    result = run_conntrack(["conntrack", *words.split()], core, lambda: "", 77)
    return f"{result.stdout}{result.stderr}{result.rc or ''}"


def answers() -> list[dict[str, Any]]:
    with gzip.open(ANSWERS, "rt") as lines:
        return [json.loads(line) for line in lines]


def test_sequences_are_answered_as_recorded() -> None:
    for number, recorded in enumerate(answers()):
        ours = Ours(recorded["account"])
        for argv, order, (rc, out, err) in recorded["answers"]:
            if rc in CRASHED:
                break
            if argv[1] == "-U":
                ours.put_in_order(order)
            assert one_cpu(ours.run(argv)).plain() == (rc, out, err), f"sequence {number}: {' '.join(argv)}"


def test_what_is_kept_comes_back() -> None:
    core, again = tracker(), tracker()
    for words in (*MADE, "-D -w 3", "-U -f ipv4 -m 9"):
        run(core, words)
    bring_back(json.loads(json.dumps(keep(core))), again)
    assert json.dumps(keep(again)) == json.dumps(keep(core))
    for words in ("-L -o extended,id", "-E", "-S", "-C"):
        assert run(again, words) == run(core, words)


def test_damaged_connections_are_refused() -> None:
    core = tracker()
    run(core, MADE[0])
    good = json.loads(json.dumps(keep(core)))
    for spoil in (
        lambda d: d.pop("now"), lambda d: d["conns"][0].pop("mark"), lambda d: d["conns"][0].update(mark="x"),
        lambda d: d["conns"][0]["tuples"].pop(), lambda d: d["conns"][0]["tcp"].pop("seen"),
        lambda d: d["told"][0].update(at="x"), lambda d: d["conns"][0].update(master=5),
        lambda d: d["conns"][0].update(master=-1), lambda d: d["conns"][0].update(zone_dir="x"),
        lambda d: d["conns"][0].update(start=1 << 70), lambda d: d["conns"][0].update(timeout=float("nan")),
        lambda d: d["conns"][0]["tcp"].update(state="MAYBE"),
        lambda d: d["conns"][0]["tcp"]["seen"][0].update(scale=99),
        lambda d: d["conns"][0]["tuples"][0].__setitem__(0, 5), lambda d: d["conns"][0]["tuples"][0].__setitem__(1, -1),
        lambda d: d["conns"][0]["tuples"][1].__setitem__(4, 1 << 16), lambda d: d["told"][0].update(kind="x"),
        lambda d: d["told"][0]["entry"].update(tags=[1]),
    ):  # fmt: skip
        bad = json.loads(json.dumps(good))
        spoil(bad)
        with pytest.raises((KeyError, ValueError, TypeError, IndexError)):
            bring_back(bad, tracker())


def test_events_tell_who_asked() -> None:
    core = tracker()
    run(core, MADE[0])
    run(core, "-D")
    tuples = "src=10.0.0.1 dst=10.0.0.2 sport=4000 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=4000 [ASSURED]"
    assert run(core, "-E").splitlines() == [
        f"    [NEW] tcp      6 500 ESTABLISHED {tuples} mark=7 [USERSPACE] portid=77",
        f"[DESTROY] tcp      6 500 ESTABLISHED {tuples} mark=7 [USERSPACE] portid=77",
        "conntrack v1.4.7 (conntrack-tools): 2 flow events have been shown.",
    ]
    assert run(core, "-E -e NEW -o timestamp").startswith("[1700000000.000000]\t    [NEW] tcp")
    run(core, "-F")
    assert run(core, "-E") == "conntrack v1.4.7 (conntrack-tools): 0 flow events have been shown.\n"


def test_a_listing_is_read_as_it_is_printed() -> None:
    core, again = tracker(), tracker()
    for words in MADE:
        run(core, words)
    printed = run_conntrack(["conntrack", "-L", "-o", "extended"], core, lambda: "").stdout
    notes = read_listing(printed, again)
    assert run_conntrack(["conntrack", "-L", "-o", "extended"], again, lambda: "").stdout == printed
    assert notes == ["the windows of 1 TCP connections are not known, their segments are taken as they come"]
    found = again.table.find(Tuple(4, 0x0A000001, 0x0A000002, 6, 4000, 80))
    assert found is not None and found[0].tcp is not None
    assert all(side.flags & BE_LIBERAL for side in found[0].tcp.seen)


def test_a_line_that_is_none_is_named() -> None:
    with pytest.raises(ListingError, match="line 2"):
        read_listing("udp 17 29 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 "
                     "sport=2 dport=1 mark=0 use=1\nhello\n", tracker())  # fmt: skip
    for wrong in ("sport=99999 dport=2", "sport=1 dport=-2"):
        with pytest.raises(ListingError, match="line 1: such a direction there cannot be"):
            read_listing(f"udp 17 29 src=10.0.0.1 dst=10.0.0.2 {wrong} src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1",
                         tracker())  # fmt: skip
    with pytest.raises(ListingError, match="line 1"):
        read_listing("udp 17 29 src=10.0.0.1 dst=::2 sport=1 dport=2 src=::2 dst=10.0.0.1 sport=2 dport=1", tracker())


def test_a_child_holds_on_to_its_master() -> None:
    """As the kernel shows it of an FTP data connection: use=2 until the child is gone."""
    core = tracker()
    for words in (MADE[0], MADE[0].replace("4000", "4001")):
        run(core, words)
    master, child = core.table
    core.table.remove(child)
    child.gone, child.master = False, master
    core.table.insert(child)
    assert [line[-5:] for line in run(core, "-L").splitlines()[:2]] == ["use=2", "use=1"]
    assert "use=3" in run(core, "-G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 4000 --dport 80")
    run(core, "-D -p tcp --sport 4001")
    assert run(core, "-L").splitlines()[0].endswith("use=1")


def test_a_listing_does_not_double_what_is_kept() -> None:
    core = tracker()
    run(core, MADE[1])
    printed = run_conntrack(["conntrack", "-L"], core, lambda: "").stdout
    assert read_listing(printed, core) == [] and len(core.table) == 1


def test_commands_from_a_file() -> None:
    core = tracker()
    text = "\n".join([*MADE, "# a remark", "-D -w 3"]) + "\n"
    result = run_conntrack(["conntrack", "-R", "-"], core, lambda: text)
    assert (result.rc, result.stderr, len(core.table)) == (0, "", 2)
    assert run_conntrack(["conntrack", "-R", "-"], core, lambda: "-L\n").rc == 2
