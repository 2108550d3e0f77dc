"""What the real programs answered (``tests/golden/text.jsonl``), command by command, in both personalities.

The recording is of 1.8.9; where 1.8.11 has other words the recorded ones are put into those first.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.programs import Environment, run_program

RECORDS = [json.loads(line) for line in (Path(__file__).parent.parent / "golden" / "text.jsonl").open()]

# 1.8.9's words -> 1.8.11's
CHANGED = (
    (re.compile(r"v1\.8\.9\b"), "v1.8.11"),
    (re.compile(r"Can't use -i with (\w+)\n\n"), r"Can't use --in-interface with \1\n"),
    (re.compile(r"Can't use -o with (\w+)\n\n"), r"Can't use --out-interface with \1\n"),
    (re.compile(r"cannot have ! before -j"), "cannot have ! before --jump"),
    (re.compile(r"(?m)^((?: *\d+ +)?(?: *\d+[KMG]? +\d+[KMG]? )?.{9} [ !])(0|6|17|51|58) +(--|-f|!f) "), None),
)
PROTOCOLS = {"0": "all ", "6": "tcp ", "17": "udp ", "51": "ah  ", "58": "ipv6-icmp"}
DATE = re.compile(r"on \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}")


def today(text: str) -> str:
    """A recorded text in 1.8.11's words, without dates."""
    for pattern, words in CHANGED:
        text = pattern.sub(words or (lambda m: f"{m[1]}{PROTOCOLS[m[2]]} {m[3]} "), text)
    return DATE.sub("on DATE", text)


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['backend']}: {r['case'][0][0][:60]}")
def test_recorded(record: dict[str, Any]) -> None:
    ruleset = Ruleset(record["backend"])
    for (line, stdin), (rc, stdout, stderr) in zip(record["case"], record["answers"], strict=True):
        env = Environment(ruleset, strict=True, read_input=lambda text=stdin: text)
        got = run_program(shlex.split(line), env)
        assert (got.rc, DATE.sub("on DATE", got.stdout), got.stderr) == (rc, today(stdout), today(stderr)), line
