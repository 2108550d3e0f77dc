"""The state file: what is stored comes back, two programs at once, a failure half way."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.store.state import StateError, Store
from iptables_emu.text.programs import Environment, run_program

DUMP = """*filter
:INPUT DROP [7:8]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:mine - [0:0]
[18446744073709551615:2] -A INPUT -s 10.0.0.0/255.0.255.0 -i eth+ -p tcp -m tcp ! --dport 1:5 -j mine
[0:0] -A mine -m comment --comment "it\\'s \\"so\\"" -j RETURN
[0:0] -A mine -p udp -m multiport --dports 1,2:3 -j LOG --log-prefix "x "
COMMIT
"""


def restore(ruleset: Ruleset, text: str, *options: str) -> None:
    result = run_program(["iptables-restore", "-c", *options], Environment(ruleset, read_input=lambda: text))
    assert result.rc == 0, result.stderr


def stored(path: Path, personality: str = "legacy") -> str:
    with Store(path) as store:
        return store.load(personality).dumps(4, counters=True)


def change(path: Path, *argv: str, stdin: str = "") -> int:
    """One command on the stored ruleset."""
    with Store(path) as store:
        ruleset = store.load("legacy")
        before = dict(ruleset.tables)
        result = run_program(argv, Environment(ruleset, read_input=lambda: stdin))
        store.save(ruleset, before)
        return result.rc


def test_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.db"
    assert change(path, "iptables-restore", "-c", stdin=DUMP) == 0
    assert stored(path) == DUMP
    assert stored(path, "nft") == ""


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    change(path, "iptables-restore", "-c", stdin=DUMP)
    changes = (
        ["-A", "OUTPUT", "-j", "DROP"], ["-N", "zzz"], ["-N", "aaa"], ["-F", "mine"], ["-E", "zzz", "third"],
        ["-D", "INPUT", "1"], ["-X", "mine"], ["-N", "mine"], ["-P", "FORWARD", "DROP"],
    )  # fmt: skip
    beside = Ruleset("legacy")
    restore(beside, DUMP)
    for argv in changes:
        assert change(path, "iptables", *argv) == 0
        assert run_program(["iptables", *argv], Environment(beside)).rc == 0
        assert stored(path) == beside.dumps(4, counters=True)
        with Store(path) as store:
            table = store.load("legacy").get(4, "filter")
        same = beside.get(4, "filter")
        assert table is not None and same is not None
        assert set(table.chains) == set(same.chains)


def test_chains_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    for argv in (["-N", "b"], ["-N", "a"], ["-N", "c"], ["-X", "b"], ["-N", "d"]):
        change(path, "iptables", *argv)
    with Store(path) as store:
        table = store.load("legacy").get(4, "filter")
    assert table is not None
    assert list(table.chains)[3:] == ["a", "c", "d"]


def test_an_error_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    change(path, "iptables-restore", "-c", stdin=DUMP)
    with pytest.raises(RuntimeError), Store(path) as store:
        ruleset = store.load("legacy")
        before = dict(ruleset.tables)
        run_program(["iptables", "-F"], Environment(ruleset))
        store.save(ruleset, before)
        raise RuntimeError
    assert stored(path) == DUMP


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    assert change(path, "iptables", "-N", "a\udcffb") == 0
    assert change(path, "iptables", "-A", "a\udcffb", "-m", "comment", "--comment", "\udce9\n") == 0
    assert '-A a\udcffb -m comment --comment "\udce9\n"' in stored(path)


@pytest.mark.parametrize("content", [b"", b"no database at all, but long enough to be looked at" * 20])
def test_a_file_that_is_no_state(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    if not content:
        assert stored(path) == ""
        return
    with pytest.raises(StateError, match="choose another"), Store(path):
        pass


def test_damaged_rules(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    change(path, "iptables-restore", "-c", stdin=DUMP)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE chains SET rules = '[[0, 0, {\"no\": 1}, [], null]]' WHERE name = 'INPUT'")
    with pytest.raises(StateError, match="damaged"):
        stored(path)


APPEND = """
import sys
from pathlib import Path
from iptables_emu.store.state import Store
from iptables_emu.text.programs import Environment, run_program
for number in range(20):
    with Store(Path(sys.argv[1])) as store:
        ruleset = store.load("legacy")
        before = dict(ruleset.tables)
        address = f"10.0.{sys.argv[2]}.{number}"
        run_program(["iptables", "-A", "INPUT", "-s", address], Environment(ruleset))
        store.save(ruleset, before)
"""


def test_two_at_once(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    programs = [subprocess.Popen([sys.executable, "-c", APPEND, str(path), str(n)]) for n in range(3)]
    assert [program.wait() for program in programs] == [0, 0, 0]
    lines = [line for line in stored(path).splitlines() if "-A INPUT" in line]
    assert len(lines) == len(set(lines)) == 60
