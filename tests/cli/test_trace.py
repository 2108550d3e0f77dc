"""`iptables-sim trace` as a person meets it: what it prints, its exit status, its complaints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RULESETS = Path(__file__).parents[2] / "rulesets"
SYN = "tcp 10.0.0.5:4000 > 1.2.3.4:80 in eth0 syn"


def sim(*words: str, stdin: bytes = b"", state: Path | None = None) -> tuple[int, str, str]:
    """Status, standard output and error of the program; there is never a traceback."""
    env = {**os.environ, "IPTABLES_SIM_STATE": str(state or os.devnull + "/none")}
    command = [sys.executable, "-m", "iptables_emu.cli.entry", *words]
    done = subprocess.run(command, input=stdin, capture_output=True, env=env, cwd=RULESETS.parent)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in out + err
    return done.returncode, out, err


def demo(name: str, *words: str) -> tuple[int, str, str]:
    return sim("trace", "-f", f"rulesets/{name}.rules", "--host", f"rulesets/{name}.host.toml", *words)


# the three packets of `make demo`, and lines of their traces in order
DEMO = [
    ("kube-proxy", ("tcp 10.224.0.42:40000 > 10.0.0.1:443 in azv1 syn",), 0, """\
packet 1: 10.224.0.42:40000 > 10.0.0.1:443 tcp syn ttl 64   in azv1
  PREROUTING  in azv1
    mangle    policy ACCEPT
      rule 1    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
                  51 rules did not match
    rewrite   destination 10.0.0.1 -> 40.64.79.12
  route     to 40.64.79.12 via 10.224.0.1 out eth0
  FORWARD  in azv1 out eth0
          end       of AZURE-NPM-INGRESS, back to AZURE-NPM
          rule 2    -A AZURE-NPM-ACCEPT -j ACCEPT  => ACCEPT
        rule 1    -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN  => RETURN
    rewrite   source 10.224.0.42 -> 10.224.0.35
  sent      out eth0: 10.224.0.35:40000 > 40.64.79.12:443 tcp
ACCEPT  forwarded out eth0 as 10.224.0.35:40000 > 40.64.79.12:443 tcp
"""),
    ("home-router", ("--why", "tcp 192.168.1.50:40000 > 203.0.113.7:443 in br-lan syn"), 0, """\
packet 1: 192.168.1.50:40000 > 203.0.113.7:443 tcp syn ttl 64   in br-lan
                  no: -d 198.51.100.20/32   (packet: destination 203.0.113.7)
      policy    PREROUTING  => ACCEPT
  route     to 203.0.113.7 via 198.51.100.1 out eth0
      rule 1    -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
                  no: --ctstate RELATED,ESTABLISHED   (packet: state NEW)
                  no: --dport 25   (packet: destination port 443)
      rule 4    -A FORWARD -i br-lan -j ACCEPT  => ACCEPT
      rule 2    -A POSTROUTING -o eth0 -j MASQUERADE  => ACCEPT
    rewrite   source 192.168.1.50 -> 198.51.100.20
ACCEPT  forwarded out eth0 as 198.51.100.20:40000 > 203.0.113.7:443 tcp
"""),
    ("home-router", ("--why", "tcp 203.0.113.99:40000 > 198.51.100.20:22 in eth0 syn"), 10, """\
packet 1: 203.0.113.99:40000 > 198.51.100.20:22 tcp syn ttl 64   in eth0
                  no: -p udp   (packet: protocol tcp)
  route     198.51.100.20 is this host
  INPUT  in eth0
                  no: -i lo   (packet: in by eth0)
                  no: -p icmp   (packet: protocol tcp)
      rule 6    -A INPUT -j log-drop
        rule 1    -A log-drop -m limit --limit 10/min -j LOG --log-prefix "router drop: "
        rule 2    -A log-drop -j DROP  => DROP
DROP  by filter log-drop rule 2, at INPUT
"""),
]  # fmt: skip


@pytest.mark.parametrize(("name", "words", "status", "lines"), DEMO)
def test_demo(name: str, words: tuple[str, ...], status: int, lines: str) -> None:
    code, out, err = demo(name, *words)
    told = iter(out.splitlines())
    missing = [line for line in lines.splitlines() if line not in told]
    assert (code, err, missing) == (status, "", []), out
    assert out.splitlines()[-1] == lines.splitlines()[-1]


def test_log_line() -> None:
    _, out, _ = demo("home-router", "udp 203.0.113.99:5 > 198.51.100.20:22 in eth0")
    (log,) = [line for line in out.splitlines() if line.strip().startswith("log ")]
    assert "router drop: IN=eth0 OUT= MAC=" in log
    assert "SRC=203.0.113.99 DST=198.51.100.20 LEN=28" in log


def test_json_document() -> None:
    code, out, _ = demo("home-router", "--format", "json", "--why", DEMO[1][1][1])
    doc = json.loads(out)
    assert code == 0
    assert {key: type(value).__name__ for key, value in doc.items()} == {
        "format": "str", "version": "int", "verdict": "str", "passed": "bool", "exit_status": "int", "text": "str",
        "packets": "list",
    }  # fmt: skip
    assert (doc["format"], doc["version"], doc["verdict"], doc["passed"]) == ("iptables-sim-trace", 1, "ACCEPT", True)
    (packet,) = doc["packets"]
    assert packet.keys() == {"number", "parent", "origin", "hooks", "events", "in", "out", "header", "packet_hex",
                             "looped_from", "final"}  # fmt: skip
    assert [(hook["hook"], [table["table"] for table in hook["tables"]]) for hook in packet["hooks"]] == [
        ("PREROUTING", ["nat"]), ("FORWARD", ["filter"]), ("POSTROUTING", ["nat"]),
    ]  # fmt: skip
    skipped = packet["hooks"][1]["tables"][0]["events"][0]
    assert (skipped["type"], skipped["index"], skipped["clause"], skipped["have"]) == (
        "skip", 1, "--ctstate RELATED,ESTABLISHED", "state NEW")  # fmt: skip


RULES = "*filter\n:INPUT ACCEPT [0:0]\n{}\nCOMMIT\n"
STATUSES = [
    ("-A INPUT -p tcp -j ACCEPT", 0, "ACCEPT  delivered to this host as 10.0.0.5:4000 > 1.2.3.4:80 tcp"),
    ("-A INPUT -p udp -j DROP", 0, "ACCEPT  delivered to this host as 10.0.0.5:4000 > 1.2.3.4:80 tcp"),
    ("-A INPUT -p tcp -j DROP", 10, "DROP  by filter INPUT rule 1"),
    ("-P INPUT DROP", 10, "DROP  by the policy of filter INPUT"),
    ("-A INPUT -j REJECT", 10, "REJECT  by filter INPUT rule 1, answered 1.2.3.4 > 10.0.0.5 icmp port-unreachable"),
    ("-A INPUT -m set --match-set friends src -j ACCEPT", 20, "UNKNOWN  filter INPUT rule 1"),
]


@pytest.mark.parametrize(("rule", "status", "final"), STATUSES)
def test_exit_status(rule: str, status: int, final: str) -> None:
    code, out, err = sim("trace", "-f", "-", SYN, stdin=RULES.format(rule).encode())
    assert (code, err) == (status, "")
    assert out.splitlines()[-1].startswith(final)


BAD_RULES = [
    (b"\x80\x81\x82", "standard input:1: expected *TABLE, :CHAIN POLICY, a command such as -A, or COMMIT"),
    (b"*filter\n-A INPUT -j NOPE\nCOMMIT\n", "standard input:2:13: Chain 'NOPE' does not exist"),
    (b"*filter\n-A INPUT -p tcp --dport 99999\nCOMMIT\n",
     "standard input:2:25: invalid port/service `99999' specified"),
    (b"*filter\n-A INPUT -p t\0cp\nCOMMIT\n", 'standard input:2:13: unknown protocol "t" specified'),
    (b"*filter\r\nCOMMIT\r\n",
     "standard input:1:2: table name 'filter\\x0d' invalid; the line ends with CR LF: give the dump plain line ends"),
    (b"*nope\nCOMMIT\n", "standard input:1:2: table name 'nope' invalid"),
    (b"*filter\n-A INPUT -j ACCEPT\n", "standard input:3: COMMIT expected"),
    (b"*filter\n:A - [0:0]\n:B - [0:0]\n-A INPUT -j A\n-A A -j B\n-A B -j A\nCOMMIT\n",
     "standard input:6: RULE_APPEND failed (Too many links): rule in chain B (the chains call each other in a loop)"),
    (b"*filter\n-A INPUT -j SNAT --to-source 1.2.3.4\nCOMMIT\n",
     "standard input:2: RULE_APPEND failed (Invalid argument): rule in chain INPUT "
     "(the kernel does not take this extension in this table or chain)"),
    (b"*filter\n-A INPUT -p tcp-o eth0 -j ACCEPT\nCOMMIT\n",
     'standard input:2:13: unknown protocol "tcp-o" specified'),
    (b"*filter\n-A INPUT -m \x1b[31m -j ACCEPT\nCOMMIT\n",
     "standard input:2:13: Couldn't load match `\\x1b[31m':No such file or directory"),
]  # fmt: skip


@pytest.mark.parametrize(("dump", "told"), BAD_RULES)
def test_bad_rules_are_one_line(dump: bytes, told: str) -> None:
    assert sim("trace", "-f", "-", SYN, stdin=dump) == (2, "", f"iptables-sim: {told}\n")


BAD_WORDS = [
    (["--format", "foo", "-i", "eth0"], "iptables-sim trace: --format foo: choose one of tree, text, json, kernel"),
    (["-f"], "iptables-sim trace: Option '-f' requires an argument"),
    (["--seed", "x", SYN], "iptables-sim trace: Invalid value for '--seed': 'x' is not a valid integer"),
    (["-f", "/nowhere/dump", SYN], "iptables-sim: /nowhere/dump: No such file or directory"),
    (["-f", "/", SYN], "iptables-sim: /: Is a directory"),
    (["-f", "/dev/null", "--host", "/nowhere.toml", SYN], "iptables-sim: /nowhere.toml: No such file or directory"),
    ([], "iptables-sim: packet: column 1: no packet: say one, as -i eth0"),
    (["-p", "all"], "iptables-sim: packet: column 4: a packet has one protocol"),
    (["-i", "e\x1b[31m"], 'iptables-sim: packet: column 4: "e\\x1b[31m" is no interface name'),
    ([SYN], "iptables-sim: /dev/null/none: "),  # the state file cannot be made
]


@pytest.mark.parametrize(("words", "told"), BAD_WORDS)
def test_bad_words_are_one_line(words: list[str], told: str) -> None:
    code, out, err = sim("trace", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(told)


@pytest.mark.parametrize("words", [
    ["-ifoo", "-sfd00::1"], ["-i", "foo", "-s", "fd00::1"], ["--", "-i", "foo", "-s", "fd00::1"],
    ["-i", "foo", "-f/dev/null", "-s", "fd00::1"], ["tcp", "[fd00::1]:40000", ">", "[2001:db8:2::1]:80", "in", "foo"],
])  # fmt: skip
def test_the_packets_words_are_its_own(words: list[str]) -> None:
    given = [] if any(word.startswith("-f") for word in words) else ["-f", "/dev/null"]
    _, out, err = sim("trace", *given, *words)
    assert "packet 1: [fd00::1]:40000 > [2001:db8:2::1]:80 tcp syn hop limit 64   in foo\n" in out, err


HOST = '[interfaces.eth0]\naddresses = ["10.0.0.1/24"]\n[interfaces.eth1]\naddresses = ["10.1.0.1/24"]\n'
PLACED = [
    (["-s", "10.1.0.7", "-d", "10.0.0.1"], "in eth1 (assumed)",
     "10.1.0.7:40000 > 10.0.0.1:80 tcp syn ttl 64   in eth1"),
    (["-o", "eth1", "-d", "10.1.0.9"], "src 10.1.0.1 (assumed)",
     "10.1.0.1:40000 > 10.1.0.9:80 tcp syn ttl 64   made on this host"),
    (["-o", "eth0", "-d", "10.1.0.9"], "-o eth0 was said, but the host's routes lead elsewhere", "made on this host"),
    (["-i", "lo", "-d", "10.1.0.1"], "src 10.1.0.1", "10.1.0.1:40000 > 10.1.0.1:80"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "note", "start"), PLACED)
def test_placed_on_a_given_host(tmp_path: Path, words: list[str], note: str, start: str) -> None:
    host = tmp_path / "h.toml"
    host.write_text(HOST)
    _, out, err = sim("trace", "-f", "/dev/null", "--host", str(host), *words)
    assert err == ""
    assert note in out.partition("\n\n")[0]
    assert start in out.partition("\n\n")[2].splitlines()[0]


@pytest.mark.parametrize(("words", "told"), [
    (["-i", "wlan0"], "the host has no interface wlan0; it has lo, eth0, eth1"),
    (["-i", "eth0", "-o", "ppp0"], "the host has no interface ppp0; it has lo, eth0, eth1"),
    (["-s", "9.9.9.9"], "no route leads to 9.9.9.9: say where it comes in, as in eth0"),
])  # fmt: skip
def test_interfaces_that_are_not_there(tmp_path: Path, words: list[str], told: str) -> None:
    host = tmp_path / "h.toml"
    host.write_text(HOST)
    assert sim("trace", "-f", "/dev/null", "--host", str(host), *words) == (2, "", f"iptables-sim: {told}\n")


HOSTILE = b'*filter\n:a\xff\x1b[31m - [0:0]\n-A INPUT -j a\xff\x1b[31m\n' \
          b'-A a\xff\x1b[31m -m comment --comment "\xc3( \x1b]0;x\x07 [bold]b[/bold] :smile: <b>&" ' \
          b'-j LOG --log-prefix "\x1b[5m"\n' \
          b'COMMIT\n'  # fmt: skip


@pytest.mark.parametrize("fmt", ["tree", "text", "json", "kernel", "nft", "html"])
def test_untrusted_text_never_reaches_the_terminal_raw(fmt: str) -> None:
    code, out, err = sim("trace", "-f", "-", "--why", "--format", fmt, SYN, stdin=HOSTILE)
    assert (code, err) == (0, "")
    assert [c for c in out if not c.isprintable() and c != "\n"] == []
    assert "<b>&" not in out or fmt != "html"
    if fmt in ("tree", "text"):
        assert ":smile:" in out.replace("\n", "") and "[bold]b[/bold]" in out


def test_every_way_is_one_item_of_a_json_list(tmp_path: Path) -> None:
    rules = tmp_path / "cpu.rules"
    rules.write_text("*filter\n-A INPUT -m cpu --cpu 1 -j DROP\nCOMMIT\n")
    words = ("trace", "-f", str(rules), "--format", "json", "tcp 10.0.0.5:4000 > 192.0.2.1:80 in eth0 syn")
    _, out, _ = sim(*words, "--unknown", "fork")
    assert [way["verdict"] for way in json.loads(out)] == ["DROP", "ACCEPT"]
    assert json.loads(sim(*words, "--unknown", "match")[1])["verdict"] == "DROP"
