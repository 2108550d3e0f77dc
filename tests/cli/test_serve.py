"""`iptables-sim serve --stdio`: one JSON object a line in, one out; nothing ends it but the end of its input."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import pytest

from iptables_emu.cli.serve import Server
from iptables_emu.cli.state import Globals

RULE = ["-A", "INPUT", "-p", "tcp", "-j", "ACCEPT"]
SYN = "tcp 10.0.0.5:4000 > 1.2.3.4:80 in eth0 syn"


def serve(*requests: Any) -> list[dict[str, Any]]:
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() + b"\n" for r in requests]
    out = io.StringIO()
    Server({}, Globals()).loop(lines, out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def ask(*words: str, stdin: str | None = None, **env: str) -> dict[str, Any]:
    request: dict[str, Any] = {"argv": list(words)}
    if stdin is not None:
        request["stdin"] = stdin
    return {**request, "env": env} if env else request


OK = {"rc": 0, "stdout": "", "stderr": ""}
EMPTY = "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n"


def test_the_state_lasts_until_reset() -> None:
    answers = serve(ask("iptables", *RULE), ask("iptables", "-S"), {"reset": True}, ask("iptables", "-S"))
    assert answers == [OK, {**OK, "stdout": EMPTY + "-A INPUT -p tcp -j ACCEPT\n"}, OK, {**OK, "stdout": EMPTY}]


def test_every_program_has_the_same_state() -> None:
    dump = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n"
    answers = serve(
        ask("/usr/sbin/iptables-restore", stdin=dump), ask("iptables-save"), ask("iptables-sim", "-S", "INPUT"),
        ask("ip6tables", "-S", "INPUT"), ask("iptables-legacy", "-S", "INPUT"), ask("iptables-sim", "save"),
        ask("iptables", "-S", "INPUT", IPTABLES_SIM_BACKEND="legacy"), ask("iptables-sim-save", "-t", "filter"),
    )  # fmt: skip
    assert [a["rc"] for a in answers] == [0] * 8
    assert ":INPUT DROP [0:0]" in answers[1]["stdout"]
    assert [answers[i]["stdout"] for i in (2, 3, 4, 6)] == [
        "-P INPUT DROP\n", "-P INPUT ACCEPT\n", "-P INPUT ACCEPT\n", "-P INPUT ACCEPT\n"]  # fmt: skip
    assert ":INPUT DROP [0:0]" in answers[5]["stdout"]
    assert ":INPUT DROP [0:0]" in answers[7]["stdout"]


def test_our_own_subcommands() -> None:
    answers = serve(
        ask("iptables", "-P", "INPUT", "DROP"), ask("iptables-sim", "trace", SYN),
        ask("iptables-sim", "trace", "-f", "-", SYN, stdin="*filter\nCOMMIT\n"),
        ask("iptables-sim", "run", "-", "--format", "json", stdin='[{"name": "a"}]'),
        ask("iptables-sim", "restore", stdin="*raw\nCOMMIT\n"), ask("iptables-sim", "trace", "-i"),
        ask("iptables-sim", "nope"), ask("iptables-sim", "serve", "--stdio", stdin="{}"),
    )  # fmt: skip
    assert [a["rc"] for a in answers] == [0, 10, 0, 0, 0, 2, 2, 2]
    assert answers[1]["stdout"].endswith("DROP  by the policy of filter INPUT\n")
    assert json.loads(answers[3]["stdout"])[0]["load"] == {"rc": 0, "stderr": ""}
    assert answers[6]["stderr"].startswith("iptables-sim: No such command 'nope'")


def test_bytes_that_are_no_text_come_back() -> None:
    dump = "*filter\n:X\udcff - [0:0]\n:\u00e9 - [0:0]\nCOMMIT\n"
    _, saved = serve(ask("iptables-restore", stdin=dump), ask("iptables-save"))
    assert ":X\udcff - [0:0]\n:\u00e9 - [0:0]\n" in saved["stdout"]


BAD = [
    (b"x\n", "not JSON: "),
    (b"\xff\xfe\n", "not JSON: "),
    (b"[" * 100_000 + b"\n", "not JSON: "),
    (b"9" * 5000 + b"\n", "not JSON: "),
    (b"[]\n", "a request is an object with argv or reset"),
    ({}, "a request is an object with argv or reset"),
    ({"argv": []}, "a request is an object with argv or reset"),
    ({"argv": "iptables"}, "argv must be a list of texts"),
    ({"argv": [None]}, "argv must be a list of texts"),
    ({"argv": {"a": 1}}, "argv must be a list of texts"),
    ({"argv": ["iptables", "a\0b"]}, "argv cannot hold a NUL"),
    ({"argv": [""]}, "'': no such program"),
    ({"argv": ["nope"]}, "'nope': no such program"),
    ({"argv": ["iptables-restore"], "stdin": 5}, "stdin must be a text"),
    ({"argv": ["iptables"], "env": 5}, "env must be an object of texts"),
    ({"argv": ["iptables"], "env": {"A": None}}, "env must be an object of texts"),
]


@pytest.mark.parametrize(("request_", "told"), BAD)
def test_a_bad_line_gets_an_answer(request_: Any, told: str) -> None:
    bad, good = serve(request_, ask("iptables", "-S"))
    assert (bad["rc"], bad["stdout"], bad["stderr"][: 7 + len(told)]) == (2, "", f"serve: {told}")
    assert good == {**OK, "stdout": EMPTY}


def test_as_a_process() -> None:
    requests = b'\n{"argv": ["iptables", "-S"]}\n\n{"reset": true}'
    command = [sys.executable, "-m", "iptables_emu.cli.entry", "serve", "--stdio"]
    done = subprocess.run(command, input=requests, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{**OK, "stdout": EMPTY}, OK]


def test_what_rules_share_outlasts_a_trace() -> None:
    """A rule that comes later finds the list, the estimator, of those before it; forked ways do not touch them."""
    packet = "udp 10.0.0.5:4000 > 1.2.3.4:53 in eth0"
    trace = ask("iptables-sim", "trace", packet)
    measure = ["--rateest-name", "r", "--rateest-interval", "250ms", "--rateest-ewmalog", "500ms"]
    answers = serve(
        ask("iptables", "-A", "INPUT", "-m", "recent", "--name", "l", "--set"),
        ask("iptables", "-A", "INPUT", "-j", "RATEEST", *measure),
        trace,
        ask("iptables", "-A", "INPUT", "-m", "rateest", "--rateest", "r", "--rateest-gt", "--rateest-bps", "1gbit"),
        ask("iptables", "-A", "INPUT", "-m", "recent", "--name", "l", "--rcheck", "--hitcount", "3", "-j", "DROP"),
        ask("iptables-sim", "trace", "--unknown", "fork", packet), trace, trace,
    )  # fmt: skip
    assert [answer["rc"] for answer in answers] == [0, 0, 0, 0, 0, 0, 0, 10]
