"""Rules there and back: parse, save, restore, compare, delete."""

import shlex

from hypothesis import given, settings
from hypothesis import strategies as st

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.lexer import words
from iptables_emu.text.programs import Environment, run_program

octet = st.integers(0, 255)
address = st.builds("{}.{}.{}.{}".format, octet, octet, octet, octet)
network = st.builds("{}/{}".format, address, st.integers(1, 32))
# iptables-nft cannot negate the mask of zeros
odd_network = st.builds("{}/{}".format, address, address.filter(lambda mask: mask != "0.0.0.0"))
interface = st.from_regex(r"[a-z][a-z0-9.]{0,12}\+?", fullmatch=True)
port = st.one_of(
    st.integers(0, 65535).map(str), st.builds("{}:{}".format, st.integers(0, 300), st.integers(300, 65535))
)
comment = st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF, exclude_characters="\n"), max_size=40)
jump = st.sampled_from(["ACCEPT", "DROP", "RETURN", "mine", "LOG", "MARK --set-mark 0x5/0xff", "REJECT"])


def maybe(option: str, values: st.SearchStrategy[str], invert: bool = True) -> st.SearchStrategy[str]:
    """The option with a value, with or without ``!``, or nothing."""
    signs = st.sampled_from(["", "! "]) if invert else st.just("")
    return st.one_of(st.just(""), st.builds(lambda sign, value: f"{sign}{option} {value}", signs, values))


quoted = comment.filter(lambda text: "\x00" not in text).map(shlex.quote)
transport = st.one_of(
    st.just(""),
    st.sampled_from(["-p icmp", "! -p udp", "-p 47", "-p udplite"]),
    st.builds("-p {} {} {}".format, st.sampled_from(["tcp", "udp"]), maybe("--sport", port), maybe("--dport", port)),
    st.builds("-p tcp -m tcp {}".format, st.sampled_from(["--syn", "! --syn", "--tcp-flags ALL SYN"])),
    st.builds("-p tcp -m multiport --dports {},{}".format, st.integers(0, 65535), st.integers(0, 65535)),
)
rule = st.builds(
    lambda *parts: " ".join(filter(None, parts)),
    maybe("-s", st.one_of(address, network, odd_network)),
    maybe("-d", st.one_of(address, network)),
    maybe("-i", interface),
    st.sampled_from(["", "-f", "! -f"]),
    transport,
    maybe("-m comment --comment", quoted, invert=False),
    maybe("-m mark --mark", st.sampled_from(["1", "0x10/0xff0"]), invert=False),
    st.one_of(st.just(""), jump.map("-j {}".format), st.just("-g mine")),
)
personality = st.sampled_from(["nft", "legacy"])


def run(ruleset: Ruleset, *argv: str, stdin: str = "") -> str:
    """What it prints; it must succeed."""
    result = run_program(argv, Environment(ruleset, read_input=lambda: stdin))
    assert result.rc == 0, (argv, result.stderr)
    return result.stdout


def rules_of(text: str) -> list[str]:
    """The lines without comments."""
    return [line for line in text.split("\n") if line[:1] != "#"]


@settings(max_examples=400, deadline=None)
@given(rule, personality)
def test_save_parse_equal(text: str, kind: str) -> None:
    ruleset = Ruleset(kind)
    run(ruleset, "iptables", "-N", "mine")
    run(ruleset, "iptables", "-A", "INPUT", *shlex.split(text))
    saved = ruleset.dumps(4)
    again = Ruleset.loads(saved, 4, kind)
    table, copy = ruleset.get(4, "filter"), again.get(4, "filter")
    assert table is not None and copy is not None
    assert [r.spec for r in copy.chains["INPUT"].rules] == [r.spec for r in table.chains["INPUT"].rules]
    assert again.dumps(4) == saved


@settings(max_examples=200, deadline=None)
@given(st.lists(rule, max_size=6), personality)
def test_delete_of_every_append_leaves_nothing(texts: list[str], kind: str) -> None:
    ruleset = Ruleset(kind)
    run(ruleset, "iptables", "-N", "mine")
    empty = ruleset.dumps(4)
    for text in texts:
        run(ruleset, "iptables", "-A", "FORWARD", *shlex.split(text))
        run(ruleset, "iptables", "-C", "FORWARD", *shlex.split(text))
    for line in run(ruleset, "iptables", "-S", "FORWARD").split("\n")[1:-1]:
        run(ruleset, "iptables", "-D", *words(line)[1:])
    assert ruleset.dumps(4) == empty


@settings(max_examples=100, deadline=None)
@given(st.lists(rule, max_size=8), personality, st.booleans())
def test_save_of_a_restore_of_a_save_is_the_same(texts: list[str], kind: str, counters: bool) -> None:
    ruleset = Ruleset(kind)
    run(ruleset, "iptables", "-N", "mine")
    for number, text in enumerate(texts):
        run(ruleset, "iptables", "-A", "INPUT", "-c", str(number), "77", *shlex.split(text))
    option = ["-c"] if counters else []
    saved = run(ruleset, "iptables-save", *option)
    other = Ruleset(kind)
    run(other, "iptables-restore", *option, stdin=saved)
    again = run(other, "iptables-save", *option)
    assert rules_of(again) == rules_of(saved)
