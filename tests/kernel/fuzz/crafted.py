"""Packets made to a wish, byte by byte where no packet dict can say them."""

from __future__ import annotations

import ipaddress
from typing import Any

from iptables_emu.packet.build import build
from tests.kernel.fuzz.hostile import fragments, mangled
from tests.kernel.fuzz.traffic import Step, Traffic
from tests.kernel.fuzz.wishes import FLAGS, Wish, port

OPTIONED = (0, 60)
NUMBERS = {"dccp": 33, "esp": 50, "ah": 51, "ipcomp": 108, "mobility-header": 135, "udplite": 136}
SEGMENT_OPTIONS = ("", "", "020405b4", "020405b40402080a000000010000000001030307", "0101080a0000000100000002",
                   "1312000102030405060708090a0b0c0d0e0f0101", "0204", "00000000")  # fmt: skip
CHUNK = {0: "000b001400000001000000010000000061620000", 1: "0100001400000001000010000001000100000001",
         10: "0a00000461626364", 6: "06010004", 14: "0e010004", 4: "04000008000100046d",
         64: "400300140000000161626364"}  # fmt: skip


class Crafted(Traffic):
    """As the other profiles' traffic, but each packet is near the edges of a rule."""

    def fresh(self) -> Step:
        rng = self.rng
        wish = dict(rng.choice(self.wishes)) if self.wishes and rng.random() < 0.85 else {}
        local = rng.random() < (0.8 if wish.get("hook") == "OUTPUT" else 0.15)
        packet, iface = self.packet(wish, local)
        self.sent.append(("" if local else iface, packet))
        data = self._headers(wish, build(packet)) if self.six and "slice" not in packet else b""
        roll = rng.random()
        if local:
            told = {"packet_hex": data.hex()} if data else {"packet": packet}
            return {"send_local": {**told, **self._socket(wish)}}
        if roll < 0.1:
            return {"inject": {"iface": iface, "packet_hex": mangled(rng, data or build(packet)).hex()}}
        if (wish.get("pieces") or roll < 0.15) and not self.six:
            return {"inject": [{"iface": iface, "packet": piece} for piece in fragments(rng, packet)]}
        if roll < 0.2:
            count = rng.randint(2, 5)
            one: Step = {"iface": iface, **({"packet_hex": data.hex()} if data else {"packet": packet})}
            return {"inject": [one] * count}
        value: Step = {"iface": iface, **({"packet_hex": data.hex()} if data else {"packet": packet})}
        if rng.random() < 0.04:
            value["dst_mac"] = rng.choice(("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "33:33:00:00:00:01"))
        return {"inject": value}

    def _socket(self, wish: Wish) -> Step:
        out = super()._socket(wish)
        for key in ("uid", "gid"):
            if key in wish:
                out[key] = min(wish[key], 0xFFFFFFFE)
        return out

    def _proto(self, wish: Wish) -> Any:
        proto = super()._proto(wish)
        return NUMBERS.get(proto, proto)

    # -- IPv4 and the transport header -----------------------------------------------------------------

    def _header(self, packet: dict[str, Any], wish: Wish) -> None:
        super()._header(packet, wish)
        for key in ("tos", "ttl"):
            if key in wish and self.rng.random() < 0.9:
                packet[key] = wish[key] & 255
        if not self.six and self.rng.random() < 0.04:
            packet["ip_options_hex"] = self.rng.choice(("01010101", "94040000", "00000000"))

    def _transport(self, packet: dict[str, Any], wish: Wish) -> None:
        super()._transport(packet, wish)
        rng, proto = self.rng, packet["proto"]
        if proto in ("tcp", 6):
            packet["flags"] = wish.get("flags", rng.choice(FLAGS))
            packet["tcp_options_hex"] = wish.get("tcp_options_hex", rng.choice(SEGMENT_OPTIONS))
            if "mss" in wish:
                packet["tcp_options_hex"] = rng.choice(
                    ("0204{:04x}", "01010204{:04x}0000", "0204{:04x}01030307")
                ).format(wish["mss"])
        elif proto in ("icmp", "icmpv6", 1, 58):
            self._icmp_as_wished(packet, wish)
        else:
            body = self._body(proto, wish)
            if body:
                packet["payload_hex"] = body.hex()
                packet.pop("payload", None)
        if "length" in wish:
            self._stretch(packet, wish["length"])

    def _icmp_as_wished(self, packet: dict[str, Any], wish: Wish) -> None:
        if "type" in wish:
            packet["type"] = wish["type"]
            if packet["type"] not in ((1, 2, 3, 4) if self.six else (3, 4, 5, 11, 12)):
                packet.pop("inner", None)
        packet["code"] = wish.get("code", packet.get("code", 0))

    def _stretch(self, packet: dict[str, Any], length: int) -> None:
        """Payload until the whole packet has the length, where that can be."""
        if "inner" in packet:
            return
        for key in ("payload", "payload_hex"):
            packet.pop(key, None)
        short = length - len(build(packet))
        if short > 0:
            packet["payload"] = "x" * short

    def _body(self, proto: Any, wish: Wish) -> bytes:
        """The transport header of a protocol that packet dicts do not know."""
        rng = self.rng
        sport, dport = (wish.get(key, port(rng)) for key in ("sport", "dport"))
        ports = sport.to_bytes(2, "big") + dport.to_bytes(2, "big")
        spi = wish.get("spi", rng.choice((0, 1, 500))).to_bytes(4, "big")
        if proto in ("sctp", 132):
            chunks = "".join(CHUNK[key] for key in rng.sample(sorted(CHUNK), rng.randint(1, 3)))
            return ports + bytes(8) + bytes.fromhex(chunks)
        if proto == 33:
            option = bytes((wish.get("dccp_option", 2), 3, 0, 0))
            size = rng.choice((12, 16, 24, 28))
            kind = rng.randrange(12) << 1 | rng.randrange(2)
            return ports + bytes((size // 4 + 1, 0, 0, 0, kind)) + bytes(size - 9) + option
        if proto == 50:
            return spi + bytes(12)
        if proto == 51:
            return bytes((59, rng.choice((1, 2, 4)), 0, 0)) + spi + bytes(12)
        if proto == 108:
            return bytes((4, rng.choice((0, 0, 1)))) + wish.get("cpi", 2).to_bytes(2, "big") + bytes(4)
        if proto == 135:
            return bytes(
                (rng.choice((59, 59, 59, 6)), rng.choice((0, 1)), wish.get("mh", rng.randrange(8)), 0)
            ) + bytes(12)
        if proto == 136:
            return ports + bytes(4) + b"abcd"
        return b""

    # -- IPv6's headers --------------------------------------------------------------------------------

    def _headers(self, wish: Wish, data: bytes) -> bytes:
        """The packet with extension headers before its transport header; b"" without any."""
        kinds = list(wish.get("headers", ())) if self.rng.random() < 0.92 else []
        if not kinds and self.rng.random() < 0.06:
            kinds = self.rng.sample((0, 60, 43, 44, 51), self.rng.randint(1, 2))
        kinds = [kind for kind in (0, 60, 43, 44, 51) if kind in kinds] if self.rng.random() < 0.9 else kinds
        if not kinds:
            return b""
        body, following = data[40:], data[6]
        for kind in reversed(kinds):
            body = self._extension(kind, following, wish) + body
            following = kind
        return data[:4] + len(body).to_bytes(2, "big") + bytes((following,)) + data[7:40] + body

    def _extension(self, kind: int, following: int, wish: Wish) -> bytes:
        rng = self.rng
        if kind in OPTIONED:
            header = bytes((following, 0)) + self._options(str(wish.get("option_text", "1:4")))
            header += bytes(-len(header) % 8)
            if "extlen" in wish:
                header = header.ljust(min(wish["extlen"] // 8 * 8, 64), b"\0")
            return header[:1] + bytes((len(header) // 8 - 1,)) + header[2:]
        if kind == 44:
            more = rng.choice((0, 0, 1, 8, 9)) if "fragid" in wish else 0
            return (
                bytes((following, rng.choice((0, 0, 1))))
                + more.to_bytes(2, "big")
                + (wish.get("fragid", 5)).to_bytes(4, "big")
            )
        if kind == 51:
            units = rng.choice((1, 2, 4))
            return bytes((following, units, 0, 0)) + wish.get("spi", 1).to_bytes(4, "big") + bytes(units * 4)
        return self._routing(following, wish)

    def _options(self, text: str) -> bytes:
        out = b""
        for word in text.split(","):
            kind, _, size = word.partition(":")
            many = int(size or self.rng.randrange(5)) & 15
            out += b"\0" if kind == "0" else bytes((int(kind), many)) + bytes(many)
        return out

    def _routing(self, following: int, wish: Wish) -> bytes:
        rng = self.rng
        hops = wish.get("hops") or ["2001:db8::1", "2001:db8::2", "2a00:1450::5"][: rng.randint(0, 3)]
        kind, left = wish.get("kind", rng.choice((0, 2, 4))), wish.get("segsleft", rng.randint(0, 2))
        last, tag = wish.get("last", max(0, len(hops) - 1)), wish.get("tag", 0)
        middle = bytes((last & 255, 0)) + tag.to_bytes(2, "big") if kind == 4 else rng.choice((bytes(4), b"\0\0\0\1"))
        body = b"".join(ipaddress.IPv6Address(hop).packed for hop in hops)
        size = wish.get("hdrlen", len(body) // 8) if rng.random() < 0.5 else len(body) // 8
        return bytes((following, size & 255, kind & 255, left & 255)) + middle + body
