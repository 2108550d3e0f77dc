"""Generated rules: base options, the table lines of every extension beside each other, and values of our own making."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.ext.tables import CASES, Case

octet = st.integers(0, 255)
address4 = st.builds("{}.{}.{}.{}".format, octet, octet, octet, octet)
# iptables-nft cannot negate the mask of zeros
mask4 = address4.filter(lambda mask: mask != "0.0.0.0")
network4 = st.one_of(
    address4, st.builds("{}/{}".format, address4, st.integers(1, 32)), st.builds("{}/{}".format, address4, mask4)
)
group = st.integers(0, 0xFFFF).map("{:x}".format)
address6 = st.one_of(
    st.builds("{}:{}::{}".format, group, group, group),
    st.lists(group, min_size=8, max_size=8).map(":".join),
    st.builds("::{}".format, group),
)
network6 = st.one_of(
    address6, st.builds("{}/{}".format, address6, st.integers(1, 128)), st.builds("{}/{}".format, address6, address6)
)
interface = st.from_regex(r"[a-z][a-z0-9.]{0,12}\+?", fullmatch=True)
port = st.one_of(
    st.integers(0, 65535).map(str), st.builds("{}:{}".format, st.integers(0, 300), st.integers(300, 65535))
)
comment = st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF, exclude_characters="\n"), max_size=40)
quoted = comment.filter(lambda text: "\x00" not in text).map(shlex.quote)
mark = st.sampled_from(["", "-m mark --mark 1", "-m mark ! --mark 0x10/0xff0"])
REFUSED_AGAIN = {
    "-j DNPT --src-pfx ::/0 --dst-pfx fd02::/64": "a prefix of no bits is not saved",
    "-j HMARK --hmark-src-prefix 255.0.255.0 --hmark-mod 3 --hmark-rnd 2": "a mask with holes is saved as -1",
    "-j LED --led-trigger-id x --led-delay INFinite": "saved as -1",
    "-j LED --led-trigger-id x --led-delay 4294967294": "saved as -2",
    "-p tcp -j MASQUERADE --to-ports 10-20/3": "the shift is saved as 0",
    "-p tcp -j SNAT --to-source 192.0.2.1:10-20/5": "the shift is saved as 0",
    "-m cluster --cluster-hash-seed 7 ! --cluster-local-node 32 --cluster-total-nodes 32": "a mask out of range",
    "-p ipcomp -m ipcomp --ipcompspi :": "the whole range is not saved, and nothing is then -m ipcomp without a range",
}
"""Rules of the tables that iptables-save writes in words which iptables itself does not read back."""
SAVED_AS_ANOTHER = {
    "-j CT --zone-orig 5 --zone-reply 6": "saved as --zone 6",
    "-m connlimit --connlimit-above 16": "the mask of IPv6 in the unused words",
    "-m connlimit --connlimit-above 1 --connlimit-mask 33": "a mask of IPv4 of more than 32 bits",
    "-m frag --fragid :": "the whole range is not saved",
    "-m frag --fragid 0:4294967295": "the whole range is not saved",
    "-m hashlimit --hashlimit-upto 9/sec --hashlimit-name a --hashlimit-rate-interval 5": "the interval is not saved",
    "-p icmp -m icmp --icmp-type 3/1:3": "a range of codes is saved as its first",
    "-m policy --dir in --pol none --reqid 7": "no element is saved with none",
    "-m recent --set --name ssh": "the mask of IPv6 in the unused words",
    "-m recent ! --rcheck --name ssh --rdest": "the mask of IPv6 in the unused words",
    "-m recent --rcheck --rdest --rsource": "the mask of IPv6 in the unused words",
    "-m rt --rt-segsleft :": "the whole range is not saved",
    "-p sctp -m sctp --chunk-types any ABORT:T,DATA:uBE": "flags are kept in the order in which they were given",
    "-p sctp -m sctp --chunk-types any I_DATA:B": "the flags of I_DATA are not saved",
}
"""Rules of the tables whose saved words make a rule that -C tells from them."""
ONE_WAY = {*REFUSED_AGAIN, *SAVED_AS_ANOTHER}
jump = st.sampled_from(["ACCEPT", "DROP", "RETURN", "LOG", "MARK --set-mark 0x5/0xff", "CONNMARK --save-mark"])


def maybe(option: str, values: st.SearchStrategy[str], invert: bool = True) -> st.SearchStrategy[str]:
    """The option with a value, with or without ``!``, or nothing."""
    signs = st.sampled_from(["", "! "]) if invert else st.just("")
    return st.one_of(st.just(""), st.builds(lambda sign, value: f"{sign}{option} {value}", signs, values))


def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """All of them in one line."""
    return st.builds(lambda *texts: " ".join(filter(None, texts)), *parts)


transport = st.one_of(
    st.just(""),
    st.sampled_from(["! -p udp", "-p 47", "-p udplite"]),
    st.builds("-p {} {} {}".format, st.sampled_from(["tcp", "udp"]), maybe("--sport", port), maybe("--dport", port)),
    st.builds("-p tcp -m tcp {}".format, st.sampled_from(["--syn", "! --syn", "--tcp-flags ALL SYN"])),
    st.builds("-p tcp -m multiport --dports {},{}".format, st.integers(0, 65535), st.integers(0, 65535)),
)


@dataclass(frozen=True)
class Place:
    """Where a rule stands."""

    personality: str
    family: int
    table: str
    chain: str

    @property
    def program(self) -> str:
        return "iptables" if self.family == 4 else "ip6tables"


@dataclass(frozen=True)
class Generated:
    """A rule for a place: ``texts`` are the same rule, the more crowded first; the last is surely taken."""

    place: Place
    texts: tuple[str, ...]


def _taken(place: Place) -> list[Case]:
    return [
        case for case in CASES
        if case.ok and case.rule not in ONE_WAY and case.table == place.table and place.chain in case.chains
        and place.family in case.families and place.personality in case.personalities
    ]  # fmt: skip


_PLACES = sorted(
    {(p, f, c.table, chain) for c in CASES if c.ok for p in c.personalities for f in c.families for chain in c.chains}
)
PLACES = [place for place in (Place(*where) for where in _PLACES) if _taken(place)]
_TAKEN = {place: [case.rule for case in _taken(place)] for place in PLACES}
_MATCHES = {place: [rule for rule in rules if not {"-j", "-g"} & {*rule.split()}] for place, rules in _TAKEN.items()}


def _base(network: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return joined(maybe("-s", network), maybe("-d", network), maybe("-i", interface))


BASE = {4: _base(network4), 6: _base(network6)}
"""Addresses and interfaces of a family."""
_plain = joined(transport, mark)
_remark = maybe("-m comment --comment", quoted, invert=False)
_end = st.one_of(st.just(""), jump.map("-j {}".format), st.just("-g mine"))


@st.composite
def rules_at(draw: st.DrawFn, place: Place) -> Generated:
    """A rule for this place: from the tables of the extensions, or of our own."""
    mine = draw(BASE[place.family]) if place.chain in ("INPUT", "FORWARD", "PREROUTING") else ""
    remark = draw(_remark)
    if draw(st.booleans()):
        plain, end = draw(_plain), draw(_end)
        return Generated(place, (f"{mine} {plain} {remark} {end}", f"{plain} {end}", plain))
    rule = draw(st.sampled_from(_TAKEN[place]))
    other = draw(st.sampled_from(_MATCHES[place] or [""]))
    return Generated(place, (f"{mine} {other} {remark} {rule}", f"{mine} {rule}", rule))


_AT = {place: rules_at(place) for place in PLACES}
_SEVERAL = {place: st.lists(rules, min_size=1, max_size=4) for place, rules in _AT.items()}

generated = st.sampled_from(PLACES).flatmap(_AT.__getitem__)
"""One rule and its place."""
several = st.sampled_from(PLACES).flatmap(_SEVERAL.__getitem__)
"""One to four rules of one place."""
