"""apply: what is kept, and what goes back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NEW = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 10.0.0.1/32 -j DROP\nCOMMIT\n"
OLD = "-A INPUT -s 10.0.0.9/32 -j ACCEPT"


def sim(folder: Path, *words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "iptables_emu.cli.entry", "--state", str(folder / "state.db"), *words]
    return subprocess.run(command, input=answer, capture_output=True, text=True, check=False, cwd=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert sim(tmp_path, *OLD.split()).returncode == 0
    (tmp_path / "new").write_text(NEW)
    return tmp_path


def test_a_yes_keeps_the_rules_and_writes_them(folder: Path) -> None:
    done = sim(folder, "apply", "-w", "kept", "new", answer="y")
    assert done.returncode == 0
    assert done.stdout.endswith("... then my job is done. See you next time.\n")
    assert "-A INPUT -s 10.0.0.1/32 -j DROP" in sim(folder, "-S").stdout
    assert "-A INPUT -s 10.0.0.1/32 -j DROP\nCOMMIT\n" in (folder / "kept").read_text()


@pytest.mark.parametrize(("answer", "told"), [("n", "No affirmative response!"), ("", "Timeout!")])
def test_anything_else_goes_back(folder: Path, answer: str, told: str) -> None:
    done = sim(folder, "apply", "-t", "1", "new", answer=answer)
    assert done.returncode == 255
    assert told in done.stdout
    assert OLD in sim(folder, "-S").stdout


def test_rules_that_are_refused_change_nothing(folder: Path) -> None:
    (folder / "bad").write_text(NEW.replace("DROP", "DRP"))
    done = sim(folder, "apply", "bad", answer="y")
    assert done.returncode == 5
    assert "Error: unknown error applying new iptables rules: bad" in done.stderr
    assert OLD in sim(folder, "-S").stdout


def test_a_missing_file_is_told(folder: Path) -> None:
    done = sim(folder, "apply", "nowhere")
    assert (done.returncode, done.stderr) == (2, "Error: rulesfile not readable: nowhere\n")
