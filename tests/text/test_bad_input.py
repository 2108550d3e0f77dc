"""Input that nobody means: huge lines, stray bytes, texts cut off."""

import time

import pytest

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.programs import Environment, Result, run_program

TRY = "Try `iptables-restore -h' or 'iptables-restore --help' for more information.\n"


def restore(text: str, personality: str = "legacy", *options: str, ruleset: Ruleset | None = None) -> Result:
    env = Environment(ruleset or Ruleset(personality), read_input=lambda: text)
    return run_program(["iptables-restore", *options], env)


@pytest.mark.parametrize(
    ("text", "rc", "stderr"),
    [
        ("*filter\r\n-A INPUT\r\nCOMMIT\r\n", 2, "iptables-restore: unable to initialize table 'filter\r'"),
        ("*filter\n-A INPUT -j DROP\nCOMMIT\r\n", 2, "Bad argument `COMMIT\r'\n"),
        ("*filter\n-A INPUT -j DROP\nCOMMIT", 2, "Bad argument `COMMIT'\n"),
        ("*filter\n-A INPUT\n", 1, "iptables-restore: COMMIT expected at line 3\n"),
        ("\0*filter\n", 1, "iptables-restore: line 1 failed\n"),
        ("*filter\n\0\nCOMMIT\n", 2, "no command specified"),
        ("*\n", 2, "iptables-restore: line 1 table name invalid"),
        ("*filter\n:\n", 2, "iptables-restore: line 2 chain name invalid"),
        ("*filter\n[\n", 2, "Bad line 2: need ]"),
        ("*filter\n[]\n", 2, "Bad line 2: need ]"),
        ("*filter\n" + "-A INPUT " * 130 + "\n", 2, "Parser cannot handle more arguments"),
        ("*filter\n-A " + "x" * 5000 + "\n", 2, "Parameter too long!"),
        ("*filter\n-A INPUT -s " + "9" * 900 + "\n", 2, "Hostname too long"),
    ],
)
def test_refused(text: str, rc: int, stderr: str) -> None:
    result = restore(text)
    assert result.rc == rc, result
    assert stderr in result.stderr
    if rc == 2:
        assert result.stderr.endswith(TRY)
        assert "Error occurred at line: " in result.stderr


def test_iptables_nft_takes_a_last_line_without_end() -> None:
    assert restore("*filter\n-A INPUT -j DROP\nCOMMIT", "nft").rc == 0


def test_bytes_are_kept() -> None:
    ruleset = Ruleset("legacy")
    text = '*filter\n-A INPUT -m comment --comment "\udcff é \x1b[1m\x07"\nCOMMIT\n'
    assert restore(text, ruleset=ruleset).rc == 0
    assert '--comment "\udcff é \x1b[1m\x07"' in ruleset.dumps(4)


def test_nothing_is_half_applied() -> None:
    for personality in ("legacy", "nft"):
        ruleset = Ruleset(personality)
        restore("*filter\n-A INPUT -s 1.1.1.1\nCOMMIT\n", ruleset=ruleset)
        before = ruleset.dumps(4)
        for bad in ("-A INPUT -p nosuch\nCOMMIT\n", "-A INPUT -j nowhere\nCOMMIT\n", "-A INPUT -j DROP\n",
                    ":loop - [0:0]\n-I INPUT -j loop\n-A loop -j loop\nCOMMIT\n",
                    "-A INPUT -m tcp\nCOMMIT\n"):  # fmt: skip
            assert restore("*filter\n-F INPUT\n-A INPUT -j DROP\n" + bad, ruleset=ruleset).rc != 0
            assert ruleset.dumps(4) == before


def test_digits_without_end() -> None:
    ruleset = Ruleset("legacy")
    for argv in (["-A", "INPUT", "-c", "9" * 5000, "1"], ["-D", "INPUT", "9" * 5000], ["-A", "INPUT", "-p", "9" * 5000],
                 ["-I", "INPUT", "9" * 5000], ["-A", "INPUT", "-s", "1.1.1.1/" + "9" * 5000], ["-w", "9" * 5000, "-S"],
                 ["-A", "INPUT", "-m", "mark", "--mark", "0x" + "f" * 5000]):  # fmt: skip
        run_program(["iptables", *argv], Environment(ruleset))


def spent(text: str) -> float:
    start = time.process_time()
    restore(text)
    return time.process_time() - start


@pytest.mark.parametrize(
    "make",
    [
        lambda n: "*filter\n-A INPUT " + "x" * n * 100 + "\nCOMMIT\n",
        lambda n: "*filter\n-A INPUT " + '"' * n * 100 + "\nCOMMIT\n",
        lambda n: "*filter\n" + "".join(f":c{i} - [0:0]\n" for i in range(n)) + "COMMIT\n",
        lambda n: "*filter\n" + "".join(f":c{i} - [0:0]\n-A c{i} -j c{i}x\n" for i in range(n)) + "COMMIT\n",
        lambda n: "#" * n * 100,
        lambda n: "\n" * n * 10,
    ],
    ids=["a long word", "quotes", "chains", "a bad jump", "a comment", "empty lines"],
)
def test_twice_the_input_is_about_twice_the_work(make) -> None:  # type: ignore[no-untyped-def]  # lambdas of int
    small, large = (min(spent(make(n)) for _ in range(3)) for n in (2000, 8000))
    assert large < max(small, 0.002) * 16  # far from a timing: only work that grows with the square fails
