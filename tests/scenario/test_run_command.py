"""`iptables-sim run`: answers, differences and exit statuses, with an emulator that is made up."""

import contextlib
import io
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from iptables_emu.scenario import run_command
from iptables_emu.scenario.run_command import RunError, run_scenarios

EMPTY: dict[str, Any] = {"load": {"rc": 0, "stderr": ""}, "save": "", "steps": []}


def answer(scenario: dict[str, Any]) -> dict[str, Any]:
    return {**EMPTY, "save": f"# {scenario.get('name')} {scenario['backend']}\n"}


def emulate(scenario: dict[str, Any]) -> dict[str, Any]:
    if scenario.get("name") == "broken":
        raise ValueError("two\nlines")
    if scenario.get("name") == "wrong":
        return {**EMPTY, "save": "*raw\n"}
    return answer(scenario)


@pytest.fixture(autouse=True)
def made_up_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("iptables_emu.scenario.emulate")
    module.emulate = emulate  # type: ignore[attr-defined]  # a stand-in
    monkeypatch.setitem(sys.modules, "iptables_emu.scenario.emulate", module)
    monkeypatch.setattr(run_command, "_kernel", kernel)


@contextlib.contextmanager
def kernel() -> Iterator[run_command.Run]:
    yield answer


def run(data: Any, on: str = "emulator", fmt: str = "json") -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    text = data if isinstance(data, str) else json.dumps(data)
    return run_scenarios(["-"], on, fmt, io.StringIO(text), out, err), out.getvalue(), err.getvalue()


@pytest.mark.parametrize("on", ["emulator", "kernel"])
def test_one_is_answered_by_one_and_a_list_by_a_list(on: str) -> None:
    one = {**EMPTY, "save": "# a nft\n"}
    for data, expected in (({"name": "a"}, one), ([{"name": "a"}], [one]), ([], [])):
        status, out, err = run(data, on)
        assert (status, json.loads(out), err) == (0, expected, "")


def test_a_failure_leaves_the_others_alone() -> None:
    status, out, err = run([{"name": "broken"}, {"name": "a"}])
    told = json.loads(out)
    assert status == 1 and told[1]["save"] == "# a nft\n"
    assert told[0]["error"].startswith("the emulator failed: ValueError: two lines (test_run_command.py line ")
    assert err == f"iptables-sim run: broken: {told[0]['error']}\n"


def test_bad_input() -> None:
    told = "iptables-sim run: standard input: line 1: steps: must be a list, not a number\n"
    assert run('{"steps": 1}') == (2, "", told)


BAD_STEPS = [
    ({"ip": "addr add 10.0.0.1/24 dev eth9"}, 1, "steps[0]: host: no interface 'eth9'"),
    ({"ip": "route add 1.2.3.0/24 dev lo table mine"}, 1, "steps[0]: ip route add 1.2.3.0/24 dev lo table mine: not u"),
    ({"ip": "link set eth9 down"}, 1, "steps[0]: ip link set eth9 down: not understood"),
    ({"ip": 'addr "'}, 2, "line 1: steps[0].ip: no closing quotation: close the quote"),
    ({"iptables": "-A '"}, 2, "line 1: steps[0].iptables: no closing quotation: close the quote"),
    ({"sleep": 1e308}, 2, "line 1: steps[0].sleep: 1e+308 is no time to wait: 0 to 1 000 000 000 seconds"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "status", "told"), BAD_STEPS)
def test_a_step_that_makes_no_sense(
    monkeypatch: pytest.MonkeyPatch, step: dict[str, Any], status: int, told: str
) -> None:
    monkeypatch.delitem(sys.modules, "iptables_emu.scenario.emulate")  # the real one
    code, _, err = run({"steps": [step]})
    assert (code, err.count("\n")) == (status, 1)
    assert err.startswith(f"iptables-sim run: standard input: {told}")


def test_untrusted_text_is_made_safe() -> None:
    status, out, err = run({"name": "\x1b[31m[bold]\ud800"}, fmt="text")
    assert (status, err) == (0, "")
    assert out.startswith("\\x1b[31m[bold]\\ud800 [nft]\n")
    assert [c for c in out if not c.isprintable() and c != "\n"] == []


def test_not_for_the_kernel() -> None:
    status, out, err = run({"name": "m", "nokernel": "MIRROR"}, "kernel")
    assert (status, json.loads(out)) == (1, {"error": "not for the kernel: MIRROR"})
    assert err == "iptables-sim run: m: not for the kernel: MIRROR\n"


def test_both() -> None:
    data = [{"name": "a", "backends": ["nft", "legacy"]}, {"name": "wrong"}, {"name": "m", "nokernel": "MIRROR"}]
    assert run(data, "both", "text") == (
        1,
        "ok a [nft]  0 packets\n"
        "ok a [legacy]  0 packets\n"
        "DIFFERS wrong [nft]  0 packets\n"
        "    save: kernel # wrong nft; emulator *raw\n"
        "skipped m [nft]: MIRROR\n"
        "4 scenarios, 1 differences, 1 skipped\n",
        "",
    )
    status, out, _ = run(data, "both")
    assert status == 1
    assert [one["status"] for one in json.loads(out)] == ["ok", "ok", "differs", "skipped"]
    assert run(data[:1], "both", "text")[0] == 0


def test_both_without_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def none() -> Iterator[run_command.Run]:
        raise RunError("the kernel needs root")
        yield answer

    monkeypatch.setattr(run_command, "_kernel", none)
    told = "skipped a [nft]: the kernel needs root\n1 scenarios, 0 differences, 1 skipped\n"
    assert run({"name": "a"}, "both", "text") == (2, told, "")
    assert run({"name": "a"}, "kernel") == (2, "", "iptables-sim run: the kernel needs root\n")


def test_files_and_directories(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text("[{}, {}]")
    (tmp_path / "a.toml").write_text('backend = "legacy"')
    out = io.StringIO()
    assert run_scenarios([str(tmp_path)], "emulator", "json", io.StringIO(), out, io.StringIO()) == 0
    first, second = map(json.loads, out.getvalue().splitlines())
    assert first["save"] == "# None legacy\n" and len(second) == 2
    out = io.StringIO()
    assert run_scenarios([str(tmp_path)], "emulator", "text", io.StringIO(), out, io.StringIO()) == 0
    titles = [line for line in out.getvalue().splitlines() if line.startswith(str(tmp_path))]
    assert titles == [f"{tmp_path}/a.toml [legacy]", f"{tmp_path}/b.json[0] [nft]", f"{tmp_path}/b.json[1] [nft]"]
