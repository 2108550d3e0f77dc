"""The xtables lock of iptables-legacy, as its own test 0010-wait tries it: a restore that is still being written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SIM = [sys.executable, "-m", "iptables_emu.cli.entry"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "IPTABLES_SIM_STATE": str(tmp_path / "state.db"), "IPTABLES_SIM_BACKEND": "legacy"}


@pytest.fixture
def restore(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A restore that holds the lock: its text is not complete."""
    command = [*SIM, "--as", "iptables-restore"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdin is not None
        process.stdin.write("*filter\n")
        process.stdin.flush()
        lock = Path(environ["IPTABLES_SIM_STATE"] + ".lock")
        while not lock.exists():
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.1)
        yield process
        if process.poll() is None and not process.stdin.closed:
            process.stdin.close()


def run(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SIM, *words], env=environ, capture_output=True, text=True)


def test_another_program_is_refused(environ: dict[str, str], restore: subprocess.Popen[str]) -> None:
    refused = run(environ, "-A", "FORWARD", "-j", "ACCEPT")
    assert refused.returncode == 4
    assert refused.stderr.endswith(
        "Resource temporarily unavailable\n"
        "Another app is currently holding the xtables lock. Perhaps you want to use the -w option?\n"
    )
    late = run(environ, "-w", "1", "-L")
    assert late.returncode == 4
    assert late.stderr.endswith("Another app is currently holding the xtables lock. Stopped waiting after 1s.\n")


def test_w_waits_until_the_restore_is_done(environ: dict[str, str], restore: subprocess.Popen[str]) -> None:
    with subprocess.Popen([*SIM, "-w", "-A", "INPUT", "-j", "DROP"], env=environ) as waiting:
        time.sleep(0.3)
        assert waiting.poll() is None
        restore.communicate("-A FORWARD -j DROP\nCOMMIT\n")
    assert (restore.returncode, waiting.returncode) == (0, 0)
    assert run(environ, "-S").stdout.endswith("-A INPUT -j DROP\n-A FORWARD -j DROP\n")


def test_nft_has_no_lock(environ: dict[str, str], restore: subprocess.Popen[str]) -> None:
    assert run(environ, "--backend", "nft", "-A", "INPUT", "-j", "ACCEPT").returncode == 0
    assert run(environ, "--as", "iptables-legacy-save").returncode == 0
