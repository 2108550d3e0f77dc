"""What a command loads: only what it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("click", "rich", "pyparsing")
CODE = """
import json, sys
sys.argv = ["iptables-sim", *json.loads(sys.argv[1])]
from iptables_emu.cli.entry import main
try:
    main()
except SystemExit as stop:
    status = stop.code
print(json.dumps([status, sorted(sys.modules)]))
"""


def modules(tmp_path: Path, *words: str) -> set[str]:
    """The modules that a successful command has loaded."""
    env = {**os.environ, "IPTABLES_SIM_STATE": str(tmp_path / "state.db")}
    done = subprocess.run([sys.executable, "-c", CODE, json.dumps(words)], capture_output=True, text=True, env=env)
    status, names = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stderr
    return set(names)


def extensions(loaded: set[str]) -> set[str]:
    return {name.rpartition(".")[2] for name in loaded
            if name.startswith(("iptables_emu.ext.matches.", "iptables_emu.ext.targets."))}  # fmt: skip


RULE = ("-A", "INPUT", "-p", "tcp", "-m", "tcp", "--dport", "22", "-m", "comment", "--comment", "ssh", "-j", "ACCEPT")


def test_a_rule_loads_its_extensions_alone(tmp_path: Path) -> None:
    assert extensions(modules(tmp_path, *RULE)) == {"tcp", "comment"}


@pytest.mark.parametrize("words", [RULE, ("-S",), ("-nvL",), ("-P", "FORWARD", "DROP"), ("--as", "iptables-save")])
def test_iptables_own_words_stay_light(tmp_path: Path, words: tuple[str, ...]) -> None:
    loaded = modules(tmp_path, *words)
    assert not loaded.intersection(HEAVY)
    assert not any(name.startswith(("iptables_emu.engine.path", "iptables_emu.scenario", "iptables_emu.trace.render"))
                   for name in loaded)  # fmt: skip


@pytest.mark.parametrize(("packet", "absent"), [
    (("-i", "eth0", "-p", "tcp", "--format", "text"), {"rich", "pyparsing"}),
    (("tcp > 1.2.3.4:80 in eth0", "--format", "json"), {"rich"}),
    (("-i", "eth0", "--format", "tree"), {"pyparsing"}),
])  # fmt: skip
def test_trace_loads_what_it_shows(tmp_path: Path, packet: tuple[str, ...], absent: set[str]) -> None:
    assert not modules(tmp_path, "trace", *packet).intersection(absent)


def test_a_trace_loads_no_helper_that_is_not_asked(tmp_path: Path) -> None:
    loaded = modules(tmp_path, "trace", "-i", "eth0", "-p", "tcp", "--format", "text")
    assert not loaded & {"iptables_emu.conntrack.helpers.sip", "iptables_emu.text.conntrack.program"}
