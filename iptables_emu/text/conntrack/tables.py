"""The options of ``conntrack``, and which command takes which (conntrack-tools: conntrack.c)."""

from __future__ import annotations

from iptables_emu.text.getopt import NO, OPTIONAL, REQUIRED, Long

# command letter -> (letter on connections, on expectations; "" none)
COMMANDS = {c: (c, f"x{c}") for c in "LIDGFECS"} | {"V": ("V", "V"), "h": ("h", "h"), "U": ("U", ""), "A": ("A", "")}
# in the order of their bits: letter, and the name that messages give
OPTIONS = (
    ("s", "src"), ("d", "dst"), ("r", "reply-src"), ("q", "reply-dst"), ("p", "protonum"), ("t", "timeout"),
    ("u", "status"), ("z", "zero"), ("e", "event-mask"), ("[", "tuple-src"), ("]", "tuple-dst"), ("{", "mask-src"),
    ("}", "mask-dst"), ("a", "nat-range"), ("m", "mark"), ("i", "id"), ("f", "family"), ("n", "src-nat"),
    ("g", "dst-nat"), ("o", "output"), ("c", "secmark"), ("b", "buffer-size"), ("j", "any-nat"), ("w", "zone"),
    ("l", "label"), ("<", "label-add"), (">", "label-del"), ("(", "orig-zone"), (")", "reply-zone"),
)  # fmt: skip
ILLEGAL, NEEDED, MAY, COUPLED = "0123"
# per command a digit an option
TAKES = {
    # s d r q p t u z e [ ] { } a m i f n g o c b j w l < > ( )
    "L": "22222022000220202222202220022",
    "I": "33331120000002200220000202022",
    "A": "33331120000002200220000202022",
    "U": "22222220000220222222000022200",
    "D": "22222220000220222222000220022",
    "G": "33331000000000020002000020000",
    "F": "00000000000000002000000000000",
    "E": "22222000200220202222222220022",
    "h": "00002000000000000000000000000",
    "xL": "00000000000000002002000000000",
    "xI": "11221120011110000000000000000",
    "xD": "11221000000000000000000000000",
    "xG": "11221000000000000000000000000",
    "xE": "00000000000000000002000000000",
}
NONE = "0" * len(OPTIONS)
COUPLES = (("s", "d"), ("r", "q"))
COUPLE_NAMES = (("src", "dst"), ("reply-src", "reply-dst"))
# what entries are compared with (CT_COMPARISON)
COMPARED = frozenset("psdrqmcuiwl()")

_LONGS = (
    ("dump", OPTIONAL, "L"), ("create", OPTIONAL, "I"), ("add", OPTIONAL, "A"), ("delete", OPTIONAL, "D"),
    ("update", OPTIONAL, "U"), ("get", OPTIONAL, "G"), ("flush", OPTIONAL, "F"), ("event", OPTIONAL, "E"),
    ("counter", OPTIONAL, "C"), ("stats", NO, "S"), ("version", NO, "V"), ("help", NO, "h"),
    ("orig-src", REQUIRED, "s"), ("src", REQUIRED, "s"), ("orig-dst", REQUIRED, "d"), ("dst", REQUIRED, "d"),
    ("reply-src", REQUIRED, "r"), ("reply-dst", REQUIRED, "q"), ("protonum", REQUIRED, "p"),
    ("timeout", REQUIRED, "t"), ("status", REQUIRED, "u"), ("zero", NO, "z"), ("event-mask", REQUIRED, "e"),
    ("tuple-src", REQUIRED, "["), ("tuple-dst", REQUIRED, "]"), ("mask-src", REQUIRED, "{"),
    ("mask-dst", REQUIRED, "}"), ("nat-range", REQUIRED, "a"), ("mark", REQUIRED, "m"), ("secmark", REQUIRED, "c"),
    ("id", OPTIONAL, "i"), ("family", REQUIRED, "f"), ("src-nat", OPTIONAL, "n"), ("dst-nat", OPTIONAL, "g"),
    ("output", REQUIRED, "o"), ("buffer-size", REQUIRED, "b"), ("any-nat", OPTIONAL, "j"), ("zone", REQUIRED, "w"),
    ("label", REQUIRED, "l"), ("label-add", REQUIRED, "<"), ("label-del", OPTIONAL, ">"),
    ("orig-zone", REQUIRED, "("), ("reply-zone", REQUIRED, ")"),
)  # fmt: skip
LONGS = {name: Long(name, has_arg, letter, ord(letter)) for name, has_arg, letter in _LONGS}
_SHORTS = ":LIUDGEFAhVs:d:r:q:p:t:u:e:a:z[:]:{:}:m:i:f:o:n::g::c:b:C::Sj::w:l:<:>::(:):"


def _shorts() -> dict[str, Long]:
    out = {}
    for at, letter in enumerate(_SHORTS):
        if letter != ":":
            colons = len(_SHORTS[at + 1 : at + 3]) - len(_SHORTS[at + 1 : at + 3].lstrip(":"))
            out[letter] = Long(letter, (NO, REQUIRED, OPTIONAL)[colons], letter, ord(letter))
    return out


SHORTS = _shorts()
LONG_OF = {letter: name for name, _, letter in reversed(_LONGS)}  # the first name of each
