"""Random match options of a rule; each also notes in the wish what a packet must be to meet it."""

from __future__ import annotations

import random

from tests.kernel.fuzz.hosts import Net
from tests.kernel.fuzz.wishes import MARKS, PAYLOADS, TOS, TTLS, Wish, port, port_range, weighted

PREFIXES4 = (8, 16, 20, 24, 25, 30, 31, 32, 32, 32)
PREFIXES6 = (32, 48, 64, 96, 127, 128, 128)
COMMENTS = ("one", '"two words"')
STATUSES = ("EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "NONE", "SEEN_REPLY,ASSURED")
MASKS4 = ("255.0.0.255", "0.255.255.255", "255.255.255.253")


class Matches:
    """Matches for the rules of one hook."""

    def __init__(self, rng: random.Random, net: Net, hook: str, profile: str) -> None:
        self.rng, self.net, self.hook, self.profile = rng, net, hook, profile
        self.six = net.family == 6

    def no(self, often: float = 0.2) -> str:
        return "! " if self.rng.random() < often else ""

    def base(self, wish: Wish) -> str:
        """-p -s -d -i -o and the ports."""
        rng, out = self.rng, ""
        proto = weighted(rng, {"tcp": 40, "udp": 25, "icmp": 12, "": 18, "99": 2, "6": 3, "sctp": 1})
        if proto == "icmp" and self.six:
            proto = "icmpv6"
        if proto:
            no = self.no(0.06)
            out += f" {no}-p {proto}"
            if not no:
                wish["proto"] = {"6": "tcp"}.get(proto, proto)
            else:
                proto = ""
        for flag, key in (("-s", "src"), ("-d", "dst")):
            if rng.random() < 0.22:
                out += f" {self.no(0.15)}{flag} {self.address(wish, key)}"
        if self.hook != "OUTPUT" and self.hook != "POSTROUTING" and rng.random() < 0.15:
            out += self.interface("-i", wish, "iface")
        if self.hook in ("OUTPUT", "POSTROUTING", "FORWARD") and rng.random() < 0.15:
            out += self.interface("-o", {}, "oif")
        if proto in ("tcp", "udp", "6"):
            for flag, key in (("--dport", "dport"), ("--sport", "sport")):
                if rng.random() < (0.3 if key == "dport" else 0.12):
                    ports = port_range(rng, wish, key)
                    # releases of iptables differ over the negation of all ports
                    out += f" {'' if ports == ':65535' else self.no(0.12)}{flag} {ports}"
            if proto == "tcp" and rng.random() < 0.1:
                out += rng.choice(
                    (
                        " --syn",
                        " ! --syn",
                        " --tcp-flags SYN,ACK,FIN,RST SYN",
                        " --tcp-flags ACK,PSH PSH",
                        " --tcp-flags ALL NONE",
                        " --tcp-option 2",
                        " ! --tcp-option 8",
                    )
                )
            if rng.random() < 0.15:
                out += self.multiport(wish)
        if proto == "icmp" and rng.random() < 0.3:
            out += f" -m icmp {self.no()}--icmp-type {rng.choice(('8', '0', '3', '3/3', 'any', '11', '13', '5'))}"
        if proto == "icmpv6" and rng.random() < 0.3:
            out += f" -m icmp6 {self.no()}--icmpv6-type {rng.choice(('128', '129', '1', '1/4', '2', '3'))}"
        return out

    def address(self, wish: Wish, key: str) -> str:
        rng = self.rng
        address = rng.choice(self.net.everyone)
        wish[key] = address
        if not self.six and rng.random() < 0.1:
            return f"{address}/{rng.choice(MASKS4)}"
        return address if rng.random() < 0.4 else f"{address}/{rng.choice(PREFIXES6 if self.six else PREFIXES4)}"

    def interface(self, flag: str, wish: Wish, key: str) -> str:
        name = self.rng.choice(self.net.links).name
        wish[key] = name
        told = self.rng.choice((name, name, f"{name[:2]}+", f"{name}+", "+"))
        return f" {self.no() if told != '+' else ''}{flag} {told}"  # releases differ over ! -i +, too

    def multiport(self, wish: Wish) -> str:
        rng = self.rng
        kind = rng.choice(("dports", "sports", "ports"))
        words = []
        for _ in range(rng.randint(1, 4)):
            low = port(rng)
            words.append(str(low) if rng.random() < 0.7 or low > 64000 else f"{low}:{low + rng.choice((1, 10, 1000))}")
        wish["sport" if kind == "sports" else "dport"] = int(rng.choice(words).split(":")[0])
        return f" -m multiport {self.no()}--{kind} {','.join(words)}"

    def more(self, wish: Wish) -> str:
        """One or two of the profile's extension matches."""
        names = POOLS[self.profile]
        out = ""
        for _ in range(self.rng.choice((0, 0, 1, 1, 1, 2))):
            name = weighted(self.rng, names)
            text = getattr(self, name)(wish)
            if text and f"-m {name}" not in out:
                out += text
        return out

    # -- one match each ----------------------------------------------------------------------------

    def ttl(self, wish: Wish) -> str:
        value = self.rng.choice(TTLS)
        wish["ttl"] = value
        word, name = ("hl", "hl") if self.six else ("ttl", "ttl")
        kind = self.rng.choice(("eq", "lt", "gt"))
        return f" -m {name} {self.no() if kind == 'eq' else ''}--{word}-{kind} {value}"

    def mark(self, wish: Wish) -> str:
        wish["mark"] = self.rng.choice(MARKS)
        return f" -m mark {self.no()}--mark {wish['mark']:#x}{self.rng.choice(('', '/0xf', '/0xff', '/0xffff0000'))}"

    def length(self, wish: Wish) -> str:
        low = self.rng.choice((28, 40, 44, 60, 100))
        return f" -m length {self.no()}--length {low}:{low + self.rng.choice((0, 10, 1000))}"

    def string(self, wish: Wish) -> str:
        text = self.rng.choice([p for p in PAYLOADS if p])
        wish["payload"] = text
        part = text[self.rng.randint(0, 1) : self.rng.randint(3, len(text) + 3)] or text
        how = f"--algo {self.of('bm', 'kmp')}{self.of('', ' --icase')}"
        return f' -m string {how} {self.no(0.1)}--string "{part}"'

    def iprange(self, wish: Wish) -> str:
        if self.six:
            return ""
        end = self.rng.choice(("src", "dst"))
        address = self.rng.choice(self.net.everyone)
        wish[end] = address
        head, last = address.rsplit(".", 1)
        low, high = max(0, int(last) - self.rng.randint(0, 3)), min(255, int(last) + self.rng.randint(0, 3))
        return f" -m iprange {self.no()}--{end}-range {head}.{low}-{head}.{high}"

    def addrtype(self, wish: Wish) -> str:
        kinds = (
            ("LOCAL", "UNICAST", "MULTICAST")
            if self.six
            else (
                "LOCAL",
                "UNICAST",
                "BROADCAST",
                "MULTICAST",
                "LOCAL,BROADCAST",
                "UNREACHABLE",
                "BLACKHOLE",
                "PROHIBIT",
            )
        )
        out = " -m addrtype"
        for end in self.rng.sample(("--src-type", "--dst-type"), self.rng.choice((1, 1, 2))):
            out += f" {self.no()}{end} {self.rng.choice(kinds)}"
        if not self.six and self.rng.random() < 0.15:
            if self.hook in ("PREROUTING", "INPUT"):
                out += " --limit-iface-in"
            elif self.hook in ("POSTROUTING", "OUTPUT"):
                out += " --limit-iface-out"
        return out

    def conntrack(self, wish: Wish) -> str:
        rng, out = self.rng, " -m conntrack"
        if rng.random() < 0.6:
            states = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED", "SNAT", "DNAT")
            out += f" {self.no()}--ctstate {','.join(rng.sample(states, rng.choice((1, 1, 2, 3))))}"
        if rng.random() < 0.15 or out.endswith("conntrack"):
            kind = rng.choice(("ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst"))
            out += f" {self.no()}--{kind} {rng.choice(self.net.everyone)}"
        if rng.random() < 0.15:
            kind = rng.choice(("ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport"))
            out += f" {self.no()}--{kind} {port_range(rng, {}, 'x').strip(':')}"
        if rng.random() < 0.12:
            out += f" {self.no()}--ctstatus {self.of(*STATUSES)}"
        if rng.random() < 0.12:
            out += f" --ctdir {rng.choice(('ORIGINAL', 'REPLY'))}"
        return out

    def state(self, wish: Wish) -> str:
        states = self.of("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID", "UNTRACKED")
        return f" -m state {self.no()}--state {states}"

    def connmark(self, wish: Wish) -> str:
        return f" -m connmark {self.no()}--mark {self.rng.choice(MARKS):#x}{self.rng.choice(('', '/0xff', '/0xf00f'))}"

    def connbytes(self, wish: Wish) -> str:
        low = self.rng.choice((1, 2, 3, 40, 100))
        high = self.rng.choice(("", ":", f":{low + 60}"))
        mode, way = self.rng.choice(("packets", "bytes", "avgpkt")), self.rng.choice(("original", "reply", "both"))
        return f" -m connbytes {self.no()}--connbytes {low}{high} --connbytes-dir {way} --connbytes-mode {mode}"

    def of(self, *texts: str) -> str:
        """One of the texts."""
        return self.rng.choice(texts)

    def number(self, *numbers: int) -> int:
        return self.rng.choice(numbers)

    def statistic(self, wish: Wish) -> str:
        return f" -m statistic --mode nth --every {self.number(2, 3)} --packet {self.number(0, 1)}"

    def pkttype(self, wish: Wish) -> str:
        return f" -m pkttype {self.no()}--pkt-type {self.of('unicast', 'broadcast', 'multicast')}"

    def comment(self, wish: Wish) -> str:
        return f" -m comment --comment {self.of(*COMMENTS)}"

    def dscp(self, wish: Wish) -> str:
        return f" -m dscp {self.no()}--dscp {self.number(*TOS) >> 2}"

    def tos(self, wish: Wish) -> str:
        return f" -m tos {self.no()}--tos {self.number(*TOS):#x}/{self.of('0xff', '0x3f', '0xf0')}"

    def ecn(self, wish: Wish) -> str:
        return f" -m ecn {self.no()}--ecn-ip-ect {self.number(0, 1, 2, 3)}"

    def owner(self, wish: Wish) -> str:
        if self.hook not in ("OUTPUT", "POSTROUTING"):
            return ""
        return f" -m owner {self.no()}--uid-owner {self.number(0, 1000)}"

    def quota(self, wish: Wish) -> str:
        return f" -m quota --quota {self.number(28, 40, 100, 300)}"

    def mac(self, wish: Wish) -> str:
        if self.hook not in ("PREROUTING", "INPUT", "FORWARD"):
            return ""
        return f" -m mac {self.no()}--mac-source 02:00:00:00:fe:0{self.number(1, 2, 3)}"

    def u32(self, wish: Wish) -> str:
        tests = ("0>>22&0x3C@0>>16=0:65535", "4&0x3FFF=0", "8>>24=0:64", "6&0xFF=6", "100&0xFF=0:255")
        return f' -m u32 --u32 "{self.of(*tests)}"'

    def helper(self, wish: Wish) -> str:
        return f' -m helper {self.no()}--helper "ftp"'

    def limit(self, wish: Wish) -> str:
        return f" -m limit --limit {self.number(1, 2, 3)}/hour --limit-burst {self.number(1, 2, 4)}"

    def hashlimit(self, wish: Wish) -> str:
        rate = f"--hashlimit-above {self.number(1, 3)}/hour --hashlimit-burst {self.number(1, 2)}"
        name = f"--hashlimit-name hl{self.rng.randint(0, 9999)}"
        return f" -m hashlimit {rate} --hashlimit-mode {self.of('srcip', 'dstip', 'srcip,dstport')} {name}"

    def recent(self, wish: Wish) -> str:
        what = self.of("--set", "--rcheck --seconds 3600 --hitcount 2", "--update --seconds 3600", "--remove")
        return f" -m recent {what} --name r{self.number(0, 1)}"

    def rpfilter(self, wish: Wish) -> str:
        if self.hook != "PREROUTING":
            return ""
        return f" -m rpfilter{self.of('', ' --loose', ' --invert', ' --accept-local', ' --validmark')}"


POOLS: dict[str, dict[str, int]] = {
    "stateless": {
        "ttl": 8,
        "mark": 7,
        "length": 7,
        "string": 7,
        "iprange": 5,
        "addrtype": 5,
        "statistic": 7,
        "pkttype": 5,
        "comment": 3,
        "dscp": 4,
        "tos": 4,
        "ecn": 3,
        "owner": 2,
        "quota": 2,
        "mac": 3,
        "u32": 4,
    },
    "nat": {
        "conntrack": 12,
        "addrtype": 7,
        "mark": 5,
        "iprange": 4,
        "connbytes": 3,
        "statistic": 2,
        "connmark": 2,
        "state": 2,
        "comment": 1,
    },
    "conntrack": {
        "conntrack": 25,
        "connmark": 8,
        "state": 6,
        "connbytes": 5,
        "addrtype": 4,
        "mark": 4,
        "iprange": 2,
        "helper": 1,
    },
    "routing": {"ttl": 11, "addrtype": 10, "pkttype": 6, "mark": 5, "iprange": 3, "rpfilter": 2},
    "ipv6": {
        "statistic": 5,
        "mark": 5,
        "ttl": 5,
        "string": 4,
        "length": 4,
        "conntrack": 5,
        "pkttype": 3,
        "addrtype": 3,
        "ecn": 2,
        "mac": 2,
        "dscp": 2,
        "tos": 2,
        "state": 1,
        "quota": 1,
        "connmark": 1,
        "owner": 1,
    },
    "kube": {"comment": 1},
    "mixed": {
        "conntrack": 10,
        "recent": 6,
        "addrtype": 4,
        "limit": 4,
        "statistic": 3,
        "mark": 3,
        "connmark": 3,
        "hashlimit": 2,
        "string": 2,
        "state": 2,
        "ttl": 2,
        "length": 2,
        "quota": 1,
        "connbytes": 1,
        "owner": 1,
        "helper": 1,
    },
}
