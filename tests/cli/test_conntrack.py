"""``iptables-sim conntrack``: on the state, a snapshot, in ``serve``; and the traces that keep connections."""

from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path

import pytest

from iptables_emu.cli.entry import run
from iptables_emu.cli.serve import Server
from iptables_emu.cli.state import Globals

UDP = "-I -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 5 --dport 53 -t 30"
LINE = ("ipv4     2 tcp      6 431999 ESTABLISHED src=192.168.1.10 dst=203.0.113.7 sport=4000 dport=80 src=203.0.113.7 "
        "dst=192.168.1.10 sport=80 dport=4000 [ASSURED] mark=5 use=1\n")  # fmt: skip


def sim(state: Path, words: str, capfd: pytest.CaptureFixture[str], name: str = "iptables-sim") -> tuple[int, str, str]:
    try:
        status = run(name, words.split(), Globals(state=str(state)))
    except SystemExit as end:
        status = int(end.code or 0)
    out, err = capfd.readouterr()
    return status, out, err


def test_the_state_keeps_connections(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state.db"
    assert sim(state, f"conntrack {UDP}", capfd)[2].endswith("1 flow entries have been created.\n")
    status, out, _ = sim(state, "-L", capfd, "conntrack")
    assert (status, out.split()[:4]) == (0, ["udp", "17", "30", "src=10.0.0.1"])
    assert sim(state, "--as conntrack -D -s 1.1.1.1", capfd)[0] == 1
    assert sim(state, "-C", capfd, "conntrack")[1] == "1\n"


def test_a_trace_that_keeps(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state.db"
    for rule in ("ESTABLISHED -j ACCEPT", "NEW -p udp -j ACCEPT"):
        sim(state, f"-A INPUT -m conntrack --ctstate {rule}", capfd)
    there = "trace --keep -i eth0 -p udp -s 10.0.0.5 --sport 4000 -d 10.0.0.1 --dport 53"
    assert sim(state, there, capfd)[0] == 0
    assert "udp      17 30 src=10.0.0.5" in sim(state, "conntrack -L", capfd)[1]
    sim(state, there.replace("--keep", ""), capfd)
    assert sim(state, "conntrack -E", capfd)[1].count("[NEW]") == 1  # only --keep writes
    sim(state, there.replace("--keep", "--keep --sleep 31"), capfd)
    told = [line.split()[0] for line in sim(state, "conntrack -E", capfd)[1].splitlines()]
    assert told == ["[NEW]", "[DESTROY]", "[NEW]"]
    assert sim(state, there + " --unknown fork", capfd)[0] == 2
    assert sim(state, there + " --sleep -1", capfd)[0] == 2


def test_damage_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state.db"
    sim(state, f"conntrack {UDP}", capfd)
    for bad in ("[", "5", '{"now": "x"}', '{"now": 5}'):
        with sqlite3.connect(state) as db:
            db.execute("UPDATE meta SET value = ? WHERE key = 'connections'", (bad,))
        status, _, err = sim(state, "conntrack -L", capfd)
        assert status == 4 and err.startswith("iptables-sim: damaged connections in the state"), bad
        assert "damaged" in sim(state, "trace -i eth0 -p udp -s 10.0.0.5 -d 10.0.0.1 --dport 53", capfd)[2]


def test_a_snapshot_brings_its_connections(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "host"
    folder.mkdir()
    (folder / "conntrack").write_text(LINE)
    (folder / "iptables-save").write_text(
        "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        "-A FORWARD -m conntrack --ctstate ESTABLISHED -m connmark --mark 5 -j ACCEPT\nCOMMIT\n"
    )
    link = {"flags": ["UP"], "link_type": "ether", "mtu": 1500}
    (folder / "addr.json").write_text(json.dumps([
        {**link, "ifname": "eth0", "address": "02:00:00:00:00:01",
         "addr_info": [{"local": "192.168.1.1", "prefixlen": 24}]},
        {**link, "ifname": "eth1", "address": "02:00:00:00:00:02",
         "addr_info": [{"local": "203.0.113.1", "prefixlen": 24}]},
    ]))  # fmt: skip
    (folder / "route4.json").write_text(json.dumps([
        {"dst": "192.168.1.0/24", "dev": "eth0"}, {"dst": "203.0.113.0/24", "dev": "eth1"},
    ]))  # fmt: skip
    (folder / "sysctl").write_text("net.ipv4.ip_forward = 1\n")
    state = tmp_path / "state.db"
    assert sim(state, f"conntrack --host {folder} -L -o extended", capfd)[1] == LINE
    words = f"trace --host {folder} -i eth1 -p tcp -s 203.0.113.7 --sport 80 -d 192.168.1.10 --dport 4000"
    status, out, _ = sim(state, f"{words} --tcp-flags ALL ACK", capfd)
    assert status == 0 and "the windows of 1 TCP connections are not known" in out
    assert sim(state, f"{words.replace('4000', '4001')} --tcp-flags ALL ACK", capfd)[0] == 10
    (folder / "conntrack").write_text("nonsense\n")
    assert sim(state, f"conntrack --host {folder} -L", capfd)[0] == 2


def test_serve_keeps_them_in_memory() -> None:
    requests = [{"argv": ["conntrack", *UDP.split()]}, {"argv": ["conntrack", "-C"]}, {"reset": True},
                {"argv": ["conntrack", "-C"]}]  # fmt: skip
    out = io.StringIO()
    Server({}, Globals()).loop([json.dumps(each).encode() for each in requests], out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [answer["stdout"] for answer in answers] == ["", "1\n", "", "0\n"]
