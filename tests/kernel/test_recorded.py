"""The runner against observations that were recorded before, where there are some."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from iptables_emu.scenario.compare import differences
from iptables_emu.scenario.kernel.runner import KernelRunner

pytestmark = pytest.mark.kernel

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"
OF_EACH = 20


def recorded(name: str) -> list[dict[str, Any]]:
    """Some records without randomness (whose masks are empty), and without the copies of TEE that were told twice."""
    with gzip.open(RECORDED / f"{name}.jsonl.gz", "rt") as lines:
        records = [json.loads(line) for line in lines]
    return [record for record in records if not record["masks"] and '["quiet"]' not in json.dumps(record)][:OF_EACH]


@pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded observations here")
@pytest.mark.parametrize(
    "name", ["hand", "conntrack", "ipv6", "kube", "mixed", "nat", "routing", "stateless", "targets"]
)
def test_sees_what_was_recorded(runner: KernelRunner, name: str) -> None:
    for record in recorded(name):
        found = differences(record["seen"], runner.run(record["scenario"]), record["scenario"])
        assert not found, f"{name} {record['seed']}\n" + "\n".join(found)
