"""The tokenizer of iptables-restore."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iptables_emu.options.problem import ParameterProblem
from iptables_emu.text.lexer import marked_words, words

CASES = [
    ("-A INPUT -j DROP\n", ["-A", "INPUT", "-j", "DROP"]),
    ("  a\t b  \n", ["a", "b"]),
    ("", []),
    (" \t\n", []),
    ('"a b"\n', ["a b"]),
    ('""\n', [""]),
    ('a""b\n', ["a", "b"]),
    ('a"b c"d\n', ["ab c", "d"]),
    ('"a""b"\n', ["a", "b"]),
    ('"a\\"b\\\\c"\n', ['a"b\\c']),
    ("a\\ b\n", ["a\\", "b"]),
    ("it's\n", ["it's"]),
    ('"open to the end\n', ["open to the end\n"]),
    ('x "open\n', ["x", "open\n"]),
    ('"ends in a backslash\\', ["ends in a backslash"]),
    ("a\u00a0b\x0bc\n", ["a\u00a0b\x0bc"]),
    ("\udcff\n", ["\udcff"]),
]


@pytest.mark.parametrize(("line", "wanted"), CASES)
def test_words(line: str, wanted: list[str]) -> None:
    assert words(line) == wanted


def test_a_word_has_less_than_1024_bytes() -> None:
    assert words("x" * 1023 + "\n") == ["x" * 1023]
    for line in ("x" * 1024, "é" * 512, '"' + "x" * 1024 + '"'):
        with pytest.raises(ParameterProblem, match="Parameter too long!"):
            words(line)


def test_which_words_were_quoted() -> None:
    assert marked_words('a "b" c"d" e\n') == [("a", False), ("b", True), ("cd", True), ("e", False)]


@given(st.text(alphabet=st.sampled_from('ab "\\\t\n'), max_size=40))
def test_both_ways_through_the_tokenizer_agree(line: str) -> None:
    assert words(line) == [word for word, _ in marked_words(line)]
