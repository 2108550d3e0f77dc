"""No command line of ``conntrack`` ends in anything but an answer."""

from __future__ import annotations

import random

from iptables_emu.text.conntrack.program import run_conntrack
from tests.conntrack.sequences import Ours, Writer

ODD = ("", "-", "--", "---", "-\udcff", "é" * 60, "9" * 5000, "0x" + "f" * 5000, "-1", "/", "1.2.3.4/" + "9" * 500, ":",
       "[", "]", "[]:1", "a:b:c", ",", "!", "!,!", "-L", "-I", "-p", "--state", "--label-del", "--id", "\n", "\0x",
       "tcp", "0", "256", "-o", "xml", "save", "-C", "-E", "expect", "--sport", "1.1.1.1:" + "9" * 5000)  # fmt: skip


def test_any_words_are_answered() -> None:
    rng = random.Random(5)
    for number in range(400):
        ours = Ours(number % 2)
        for argv in Writer(number).sequence()[:12]:
            words = list(argv)
            for _ in range(rng.randrange(4)):
                at = rng.randrange(1, len(words) + 1)
                words[at : at + rng.randrange(2)] = [rng.choice(ODD)]
            result = run_conntrack(words, ours.core, lambda: "-I -p udp -s 1.1.1.1\n\"-D\n -U\n")
            assert result.rc in (0, 1, 2), words
