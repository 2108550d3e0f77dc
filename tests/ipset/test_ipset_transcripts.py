"""Every command of the transcripts is answered as the real program answered it."""

from __future__ import annotations

from pathlib import Path

import pytest

from iptables_emu.host.ipset import IpSets
from iptables_emu.text.ipset.program import run_ipset
from tests.answers import Answer
from tests.ipset.transcript import TRANSCRIPTS, read

FILES = sorted(TRANSCRIPTS.glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_answers_as_recorded(path: Path) -> None:
    sets = IpSets()
    for exchange in read(path):
        result = run_ipset(exchange.argv, sets, lambda text=exchange.stdin: text)
        answer = Answer(result.rc, result.stdout, result.stderr)
        assert answer.lines() == exchange.answer, f"{exchange.place}: {exchange.argv}"
