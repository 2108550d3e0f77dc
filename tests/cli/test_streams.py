"""Streams that are closed, full or gone; states that are damaged; two shells at once. Never a traceback."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from iptables_emu.cli.entry import run

SIM = f"{sys.executable} -m iptables_emu.cli.entry"
ROOT = Path(__file__).parents[2]


def shell(line: str, state: Path | None = None) -> tuple[int, str, str]:
    """A line of shell in which $SIM is the program."""
    env = {**os.environ, "SIM": SIM, "IPTABLES_SIM_STATE": str(state) if state else ""}
    done = subprocess.run(["bash", "-c", line], capture_output=True, env=env, cwd=ROOT, timeout=60)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err and "Exception ignored" not in err, err
    return done.returncode, out, err


KUBE = "-f rulesets/kube-proxy.rules --host rulesets/kube-proxy.host.toml"
TRACE = f'$SIM trace {KUBE} --why "tcp 10.224.0.42 > 10.0.0.1:443 in azv1"'
LINES = [
    (f"{TRACE} | true; echo ${{PIPESTATUS[0]}}", 0, "0\n", ""),
    (f"{TRACE} >&-", 0, "", ""),
    (f"{TRACE} >/dev/full", 2, "", "iptables-sim: standard output: No space left on device\n"),
    ("$SIM -S >&-", 0, "", ""),
    ("$SIM -nvL | true", 0, "", ""),
    ("$SIM --help >/dev/full", 2, "", "iptables-sim: standard output: No space left on device\n"),
    ("$SIM run rulesets/scenarios >/dev/full", 2, "", "iptables-sim: standard output: No space left on device\n"),
    ("$SIM trace -f - 'tcp > 1.2.3.4:80' --format kernel <&-", 0, "", ""),
    ("$SIM restore <&-", 0, "", ""),
    ("$SIM serve --stdio <&-", 0, "", ""),
    ("$SIM run - <&-", 2, "", "iptables-sim run: standard input: line 1 column 1: Expecting value\n"),
    ("printf '\\xff' | $SIM run -", 2, "", "iptables-sim run: standard input: byte 1: not UTF-8 text; a scenario is"),
    ("$SIM nope", 2, "", "iptables-sim: No such command 'nope'; iptables-sim --help says more\n"),
    ("$SIM --as nope -L", 2, "", "iptables-sim: --as nope: no such program"),
    ("$SIM --backend nope -L", 2, "", "iptables-sim: backend 'nope': say nft or legacy\n"),
    ("$SIM --state", 2, "", "iptables-sim: --state needs a value\n"),
    ("$SIM --state /dev/null/x -L", 4, "", "iptables-sim: /dev/null/x: "),
    ("$SIM --state / -L", 4, "", "iptables-sim: /: unable to open database file; choose another file with --state\n"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "status", "out", "err"), LINES)
def test_streams(tmp_path: Path, line: str, status: int, out: str, err: str) -> None:
    code, stdout, stderr = shell(line, tmp_path / "state.db")
    assert (code, stdout) == (status, out)
    assert stderr.startswith(err) if err else stderr == ""
    assert stderr.count("\n") <= 1


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    assert shell("$SIM -A INPUT -p tcp -j ACCEPT", path)[0] == 0
    return path


DAMAGE = [
    "UPDATE chains SET rules = '['", "UPDATE chains SET rules = '[1]'", "UPDATE chains SET rules = '{\"a\": 1}'",
    "UPDATE chains SET rules = 'null'", "UPDATE chains SET rules = '[[0,0,{\"bogus\":1},[],null]]'",
    "UPDATE chains SET packets = 'x'", "UPDATE tables SET name = 'foo'", "UPDATE meta SET value = '99'",
    "UPDATE chains SET rules = '" + "[" * 100_000 + "'",
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(("command", "status"), [("-S", 4), ("trace 'tcp > 1.2.3.4:80'", 2), ("save", 4)])
def test_a_damaged_state_is_told(state: Path, damage: str, command: str, status: int) -> None:
    db = sqlite3.connect(state)
    db.execute(damage)
    db.commit()
    db.close()
    before = state.read_bytes()
    code, out, err = shell(f"$SIM {command}", state)
    assert (code, out, err.count("\n")) == (status, "", 1)
    assert err.startswith(f"iptables-sim: {state}: ") and "--state" in err
    assert state.read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "overwritten", "something else"])
def test_bytes_that_are_no_database(state: Path, damage: str) -> None:
    good = state.read_bytes()
    bad = {"cut": good[: len(good) // 2], "overwritten": good[:100] + b"\xff" * 4000 + good[4100:]}
    state.write_bytes(bad.get(damage, b"x" * 99))
    code, _, err = shell("$SIM -S", state)
    assert (code, err.count("\n")) == (4, 1)


def test_shells_at_once(tmp_path: Path) -> None:
    one = "for i in 1 2 3 4; do $SIM -A {} -s 10.0.0.$i -j ACCEPT || echo no; done"
    line = f"{one.format('INPUT')} & {one.format('OUTPUT')} & wait; $SIM -S | grep -c 10.0.0"
    assert shell(line, tmp_path / "state.db") == (0, "8\n", "")


def test_interrupted() -> None:
    command = [*SIM.split(), "serve", "--stdio"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin and process.stdout
    process.stdin.write(b'{"reset": true}\n')
    process.stdin.flush()
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err.strip()) == (130, b"")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Root may read everything, so the refusal is made up."""
    dump = tmp_path / "dump"

    def refuse(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert run("iptables-sim", ["trace", "-f", str(dump), "tcp > 1.2.3.4:80"]) == 2
    told = capsys.readouterr().err
    assert told == f"iptables-sim: {dump}: Permission denied\n"
