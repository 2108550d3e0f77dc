"""The option tables of the programs and of the extensions, as getopt wants them."""

from __future__ import annotations

from functools import cache

from iptables_emu.ext.api import Match, Target
from iptables_emu.options.memo import memo
from iptables_emu.text.getopt import NO, OPTIONAL, REQUIRED, Long, OptionSet

_LONG = """append:A1 delete:D1 check:C1 insert:I1 replace:R1 list:L2 list-rules:S2 flush:F2 zero:Z2 new-chain:N1
delete-chain:X2 rename-chain:E1 policy:P1 source:s1 destination:d1 src:s1 dst:d1 protocol:p1 in-interface:i1 jump:j1
table:t1 match:m1 numeric:n0 out-interface:o1 verbose:v0 wait:w2 wait-interval:W2 exact:x0 fragments:f0 version:V0
help:h2 line-numbers:00 modprobe:M1 set-counters:c1 goto:g1 ipv4:40 ipv6:60"""
_SHORT = "A:C:D:E:F::I:L::M:N:P:R:S::VX::Z::c:d:i:j:o:p:s:t:vW::46fg:h::m:nw::x"
_SAVE_LONG = "counters:c0 dump:d0 table:t1 modprobe:M1 file:f1 version:V0"
_RESTORE_LONG = """counters:c0 verbose:v0 version:V0 test:t0 help:h0 noflush:n0 modprobe:M1 table:T1 wait:w2
wait-interval:W2"""
_FAMILIES = " ipv4:40 ipv6:60"  # only iptables-nft-restore knows these
# the extensions' codes begin here; each further extension of a line is one step higher (XT_OPTION_OFFSET_SCALE)
SCALE = 256


def _longs(text: str) -> dict[str, Long]:
    out = {}
    for item in text.split():
        name, spec = item.split(":")
        out[name] = Long(name, int(spec[1]), spec[0], ord(spec[0]))
    return out


def _shorts(text: str) -> dict[str, Long]:
    out = {}
    for i, char in enumerate(text):
        if char != ":":
            tail = text[i + 1 : i + 3]
            wants = OPTIONAL if tail == "::" else REQUIRED if tail[:1] == ":" else NO
            out[char] = Long(char, wants, char, ord(char))
    return out


@cache
def command_options(family: int, personality: str) -> OptionSet:
    """What ``iptables`` itself takes."""
    longs = _longs(_LONG)
    if family == 6 and personality == "legacy":
        del longs["fragments"]
    return OptionSet(_shorts(_SHORT), (longs,))


@cache
def save_options() -> OptionSet:
    """What ``iptables-save`` takes."""
    return OptionSet(_shorts("bcdt:M:f:V"), (_longs(_SAVE_LONG),))


@cache
def restore_options(personality: str) -> OptionSet:
    """What ``iptables-restore`` takes."""
    extra = "" if personality == "legacy" else _FAMILIES
    return OptionSet(_shorts("bcvVthnwWM:T:"), (_longs(_RESTORE_LONG + extra),))


@cache
def translate_options() -> OptionSet:
    """What ``iptables-restore-translate`` takes."""
    return OptionSet(_shorts("hf:V"), (_longs("help:h0 file:f1 version:V0"),))


@cache
def xml_options() -> OptionSet:
    """What ``iptables-xml`` takes."""
    return OptionSet(_shorts("cvh"), (_longs("verbose:v0 combine:c0 help:h0"),))


@memo(1024)
def with_extension(options: OptionSet, cls: type[Match] | type[Target]) -> OptionSet:
    """The options and those of one more extension, whose codes are its own."""
    keys = list(dict.fromkeys(opt.id for opt in cls.OPTIONS))
    offset = SCALE * len(options.longs)
    table: dict[str, Long] = {}
    for opt in cls.OPTIONS:
        code = opt.ident if opt.ident >= 0 else keys.index(opt.id)
        table[opt.name] = Long(opt.name, NO if opt.convert is None or opt.bare else REQUIRED, (cls, opt), offset + code)
    return options.with_first(table)
