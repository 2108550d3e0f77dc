"""Two helps: iptables' own, and that of our commands."""

from __future__ import annotations

import pytest

from iptables_emu.cli.entry import run


@pytest.mark.parametrize("words", [["--help"], ["help"]])
def test_help_names_our_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("iptables-sim", words) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in ("apply", "run", "trace", "translate"))


@pytest.mark.parametrize(("called", "words"), [("iptables-sim", ["-h"]), ("iptables", ["--help"])])
def test_iptables_help_stays_iptables(
    called: str, words: list[str], capfd: pytest.CaptureFixture[str], tmp_path
) -> None:
    assert run(called, ["--state", str(tmp_path / "state.db"), *words]) == 0
    assert capfd.readouterr().out.startswith("iptables v1.8.11 (nf_tables)\n\nUsage: iptables ")
