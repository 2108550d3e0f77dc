"""iptables-translate and iptables-restore-translate, and our own subcommands for them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from iptables_emu.ext.nft import glue
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.programs import Environment, Result, program_of, run_program

TABLE = Path(__file__).with_name("translate.cases")


def run(line: str) -> Result:
    return run_program(shlex.split(line), Environment(Ruleset()))


def cases() -> list[tuple[str, list[str]]]:
    blocks = TABLE.read_text().split("\n\n")[1:]
    return [(lines[0], [line[4:] for line in lines[1:]]) for lines in (b.strip("\n").split("\n") for b in blocks)]


@pytest.mark.parametrize(("command", "expected"), cases(), ids=lambda value: value if isinstance(value, str) else "")
def test_table(command: str, expected: list[str]) -> None:
    program, _, arguments = command.partition(" ")
    result = run(f"{program}-translate {arguments}")
    assert [line.rstrip() for line in result.stdout.splitlines()] == expected
    assert result.rc == 0
    assert result.stderr == ""


@pytest.mark.parametrize("arguments", ["-P INPUT DROP", "-S", "-D INPUT 2", "-Z", "-C INPUT", "-E a b", "-R INPUT 1"])
def test_commands_without_translation(arguments: str) -> None:
    assert run(f"iptables-translate {arguments}") == Result(1, "nft ", "Translation not implemented\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("iptables-translate", "no command specified"),
        ("ip6tables-translate -A INPUT -f", "`-f' is not supported in IPv6, use -m frag instead"),
        ("iptables-translate -A INPUT --dport 1", 'unknown option "--dport"'),
    ],
)
def test_mistakes(line: str, message: str) -> None:
    program = line.split()[0]
    result = run(line)
    assert (result.rc, result.stdout) == (2, "")
    assert result.stderr == (
        f"{program} v1.8.11 (nf_tables): {message}\n"
        f"Try `{program} -h' or '{program} --help' for more information.\n"
    )


def test_version() -> None:
    assert run("ip6tables-translate -V").stdout == "ip6tables-translate v1.8.11 (nf_tables)\n"


def test_a_rule_without_translation_comes_back_as_iptables_left_it() -> None:
    assert run("iptables-translate -A INPUT ! -p UDP -m u32 --u32 0=1").stdout == (
        "nft # -A INPUT  -p udp -m u32 --u32 0=1 \n"
    )


def test_blanks_before_a_comment() -> None:
    stdout = run("iptables-translate -A INPUT -m comment --comment c -j MARK --set-mark 1").stdout
    assert stdout == "nft 'add rule ip filter INPUT counter meta mark set 0x1  comment \"c\"'\n"


def test_a_long_comment_loses_its_quote() -> None:
    stdout = run(f"iptables-translate -A INPUT -m comment --comment {'x' * 255}").stdout
    assert stdout == f"nft 'add rule ip filter INPUT counter comment \"{'x' * 254}'\n"


def test_several_sets_have_numbers() -> None:
    line = "iptables-translate -A INPUT -m connlimit --connlimit-above 3 -m connlimit --connlimit-above 4"
    first, second = run(line).stdout.splitlines()
    body = "{ type ipv4_addr; flags dynamic; }"
    assert first == f"nft 'add set ip filter connlimit0 {body} connlimit1 {body}'"
    assert "add @connlimit0 { ip saddr ct count over 3 } add @connlimit1 { ip saddr ct count over 4 }" in second


def test_glue() -> None:
    assert glue("a", "b", " c", ", d", "{", "e", "}", "", "f ", "(") == "a b c, d { e } f ("


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("iptables-translate", (4, "translate", None)),
        ("ip6tables-nft-translate", (6, "translate", "nft")),
        ("iptables-restore-translate", (4, "restore-translate", None)),
        ("ip6tables-restore-translate", (6, "restore-translate", None)),
    ],
)
def test_names(name: str, expected: tuple[int, str, str | None]) -> None:
    assert program_of(name) == expected


DUMP = """\
# a comment
*mangle
:PREROUTING ACCEPT [0:0]
:OUTPUT DROP [7:700]
:mine - [0:0]
[3:300] -A mine -s 192.0.2.1,192.0.2.2 -j RETURN
-A mine -j SECMARK --selctx ctx
-I PREROUTING 2 -m connlimit --connlimit-above 3 -j mine
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -m connlimit --connlimit-above 4 -j MASQUERADE
-6 -A POSTROUTING -j MASQUERADE
"""
TRANSLATED = """\
add table ip mangle
add chain ip mangle PREROUTING { type filter hook prerouting priority -150; policy accept; }
add chain ip mangle OUTPUT { type route hook output priority -150; policy drop; }
add chain ip mangle mine
add rule ip mangle mine ip saddr 192.0.2.1 counter return
add rule ip mangle mine ip saddr 192.0.2.2 counter return
# -t mangle -A mine -j SECMARK --selctx ctx\x20
add set ip mangle connlimit0 { type ipv4_addr; flags dynamic; }
insert rule ip mangle PREROUTING index 2 add @connlimit0 { ip saddr ct count over 3 } counter jump mine
add table ip nat
add chain ip nat POSTROUTING { type nat hook postrouting priority 100; policy accept; }
add set ip nat connlimit1 { type ipv4_addr; flags dynamic; }
add rule ip nat POSTROUTING add @connlimit1 { ip saddr ct count over 4 } counter masquerade
"""


def restored(text: str, tmp_path: Path, name: str = "iptables-restore-translate") -> Result:
    dump = tmp_path / "dump"
    dump.write_text(text)
    return run(f"{name} --file={dump}")


def test_restore(tmp_path: Path) -> None:
    result = restored(DUMP, tmp_path)
    first, *lines, last = result.stdout.splitlines(keepends=True)
    assert first.startswith("# Translated by iptables-restore-translate v1.8.11 on ")
    assert last.startswith("# Completed on ")
    assert "".join(lines) == TRANSLATED
    assert (result.rc, result.stderr) == (0, "")


def test_restore_for_ipv6_skips_the_other_family(tmp_path: Path) -> None:
    dump = "*filter\n-4 -A INPUT -j DROP\n-A INPUT -s 2001:db8::1\n"
    assert restored(dump, tmp_path, "ip6tables-restore-translate").stdout.splitlines()[1:-1] == [
        "add table ip6 filter",
        "add rule ip6 filter INPUT ip6 saddr 2001:db8::1 counter",
    ]


@pytest.mark.parametrize(
    ("text", "rc", "stderr"),
    [
        ("COMMIT\n", 1, "line 1 failed"),
        ("*filter\nCOMMIT\n-A INPUT\n", 1, "line 3 failed"),
        ("*filter\n\n-P INPUT DROP\n", 1, "line 3 failed"),
        ("*none\n", 2, "iptables-translate-restore: line 1 table name 'none' invalid\nError occurred at line: 1"),
        ("*filter\n-A INPUT --bad\n", 2, 'unknown option "--bad"\nError occurred at line: 2'),
    ],
)
def test_bad_dumps(text: str, rc: int, stderr: str, tmp_path: Path) -> None:
    result = restored(text, tmp_path)
    assert result.rc == rc
    assert stderr in result.stderr
    assert "# Completed" not in result.stdout


def test_restore_options() -> None:
    assert run("iptables-restore-translate -V") == Result(0, "iptables-restore-translate v1.8.11\n")
    missing = run("ip6tables-restore-translate --unknown")
    assert (missing.rc, missing.stdout) == (1, "")
    assert missing.stderr.startswith("ERROR: missing file name\nip6tables-restore-translate 1.8.11 (c) 2014")
    assert run("iptables-restore-translate -f /nowhere/at/all") == Result(1, "", "Cannot open file /nowhere/at/all\n")


def sim(tmp_path: Path, *words: str, stdin: str = "") -> str:
    env = {**os.environ, "IPTABLES_SIM_STATE": str(tmp_path / "state.db")}
    command = [sys.executable, "-m", "iptables_emu.cli.entry", *words]
    return subprocess.run(command, input=stdin, env=env, capture_output=True, text=True, check=True).stdout


def test_subcommands(tmp_path: Path) -> None:
    assert sim(tmp_path, "translate", "-A", "INPUT", "-p6", "--dport", "22") == (
        "nft 'add rule ip filter INPUT tcp dport 22 counter'\n"
    )
    assert sim(tmp_path, "translate", "-6", "-F") == "nft flush table ip6 filter\n"
    assert sim(tmp_path, "--as", "ip6tables-translate", "-F") == "nft flush table ip6 filter\n"
    assert sim(tmp_path, "restore-translate", stdin="*raw\n").splitlines()[1] == "add table ip raw"
    assert not (tmp_path / "state.db").exists()
