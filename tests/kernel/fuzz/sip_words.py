"""What two SIP agents say, and what nobody should."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

METHODS = ("REGISTER", "INVITE", "INVITE", "ACK", "BYE", "UPDATE", "PRACK", "OPTIONS")
CODES = (100, 180, 183, 200, 200, 200, 200, 202, 300, 404, 486, 487, 500)


@dataclass(slots=True)
class Sayer:
    """One agent as it sees itself and its peer; ``hearsay`` are addresses that it may have heard of."""

    address: str
    port: int
    peer: str
    peer_port: int
    hearsay: tuple[str, ...] = ()


@dataclass(slots=True)
class Dialogue:
    """What both remember."""

    cseq: int = 1
    method: str = "REGISTER"
    via: str = ""
    contact: str = ""
    ports: list[int] = field(default_factory=lambda: [4000, 4002, 7078])


class SipWords:
    """Messages of one call after the other."""

    def __init__(self, rng: random.Random, six: bool, transport: str) -> None:
        self.rng, self.six, self.transport = rng, six, transport.upper()
        self.talk = Dialogue()

    def _rare(self, chance: float) -> bool:
        return self.rng.random() < chance

    def uri_host(self, address: str) -> str:
        return f"[{address}]" if ":" in address else address

    def place(self, address: str, port: int) -> str:
        """Host and port; the port may be left out, odd or somebody else's."""
        host = self.uri_host(address)
        if self._rare(0.03):
            return self.rng.choice(("example.org", "localhost:5060", f"{host}:80", f"{host}:", f"{host}:70000", ""))
        if port == 5060 and self._rare(0.6):
            return host
        return f"{host}:{port if not self._rare(0.1) else self.rng.choice((5060, 5061, 6000, 9000))}"

    def somebody(self, me: Sayer) -> str:
        return self.rng.choice((me.address, me.peer, *me.hearsay))

    def request(self, me: Sayer, method: str = "") -> bytes:
        rng, talk = self.rng, self.talk
        talk.method = method or rng.choice(METHODS)
        if talk.method != "ACK" and not self._rare(0.15):
            talk.cseq += 1
        talk.via = self.place(me.address if not self._rare(0.15) else self.somebody(me), me.port)
        target = self.place(me.peer if not self._rare(0.15) else self.somebody(me), me.peer_port)
        user = rng.choice(("bob@", "bob@", ""))
        first = f"{talk.method} sip:{user}{target} SIP/2.0"
        if self._rare(0.03):
            first = rng.choice(
                (f"{talk.method.lower()} sip:{user}{target} SIP/2.0", f"{talk.method}  sip:x", talk.method)
            )
        return self._message(first, me, request=True)

    def response(self, me: Sayer, code: int = 0) -> bytes:
        code = code or self.rng.choice(CODES)
        first = f"SIP/2.0 {code} Whatever"
        if self._rare(0.03):
            first = self.rng.choice(("SIP/2.0 OK", f"sip/2.0 {code} x", f"SIP/2.0  {code}", f"SIP/2.1 {code} x"))
        return self._message(first, me, request=False)

    def _message(self, first: str, me: Sayer, *, request: bool) -> bytes:
        rng, talk = self.rng, self.talk
        ends = (me.address, me.peer) if request else (me.peer, me.address)
        headers = [
            self._via(me, request),
            f"From: <sip:alice@{self.place(ends[0], 5060)}>;tag=1",
            f'To: "Bob" <sip:bob@{self.place(ends[1], 5060)}>',
            "Call-ID: 843817637684230@998sdasdh09",
            f"CSeq: {talk.cseq if not self._rare(0.08) else rng.choice((0, 1, 99))} {talk.method}",
        ]
        if talk.method == "REGISTER" or not self._rare(0.3):
            headers += self._contacts(me, request)
        if self._rare(0.3):
            headers.append(f"Expires: {rng.choice((0, 1, 60, 3600, 3600))}")
        if self._rare(0.1):
            headers.append(rng.choice(("Max-Forwards: 70", "Topic: x", "Contact-Info: x", "l: 5", "User-Agent: m")))
        describes = talk.method in ("INVITE", "ACK", "UPDATE", "PRACK") and not self._rare(0.35)
        body = self.description(me) if describes or self._rare(0.03) else ""
        if body:
            headers.append("Content-Type: application/sdp")
        if not self._rare(0.06):
            size = len(body) if not self._rare(0.08) else rng.choice((0, 5, len(body) + 7, 99999))
            headers.append(f"{rng.choice(('Content-Length: ', 'Content-Length: ', 'l: ', 'content-length:'))}{size}")
        if self._rare(0.15):
            rng.shuffle(headers)
        return self._ended(first, headers, body)

    def _ended(self, first: str, headers: list[str], body: str) -> bytes:
        rng = self.rng
        end = "\r\n" if not self._rare(0.05) else rng.choice(("\n", "\r"))
        if self._rare(0.08):
            at = rng.randrange(len(headers))
            headers[at] = self._odd(headers[at], end)
        data = end.join([first, *headers, "", body]).encode()
        if self._rare(0.05):
            data = data[: rng.randrange(1, len(data))]
        if self._rare(0.05):
            at = rng.randrange(len(data))
            data = data[:at] + rng.choice((b"", b",", b";", b"\r\n", b" ", b"\xe9")) + data[at + 1 :]
        return data

    def _odd(self, header: str, end: str) -> str:
        name, _, value = header.partition(":")
        return self.rng.choice((
            f"{name} :{value}", f"{name}:\t{value}", f"{name}:{end} {value.strip()}", f"{name.upper()}:{value}",
            f"{name[0].lower()}: {value}", f"{name}{value}", f"{name}:{value},{value}", f"{name}:{value};{end}\tx=y",
        ))  # fmt: skip

    def _via(self, me: Sayer, request: bool) -> str:
        rng = self.rng
        place = self.talk.via if request or self._rare(0.1) else self.place(me.peer, me.peer_port)
        via = f"Via: SIP/2.0/{self.transport if not self._rare(0.04) else 'UDP'} {place};branch=z9hG4bK"
        if self._rare(0.3):
            via += rng.choice((";rport", f";rport={me.peer_port}", ";rport=5060", ";rport=0x13c4", ";rport=011704"))
        if self._rare(0.2):
            via += f";received={rng.choice((me.address, me.peer))}"
        if self._rare(0.15):
            via += f";maddr={self.uri_host(rng.choice((me.address, me.peer)))}"
        return via

    def _contacts(self, me: Sayer, request: bool) -> list[str]:
        rng, talk = self.rng, self.talk
        if request:
            talk.contact = self.place(me.address if not self._rare(0.1) else self.somebody(me), me.port)
            place = talk.contact
        else:
            place = self.place(me.peer if talk.method == "REGISTER" else me.address,
                               me.peer_port if talk.method == "REGISTER" else me.port)  # fmt: skip
        contact = (
            f"<sip:alice@{place}{self.rng.choice(('', '', ';transport=udp', ';transport=tcp', ';transport=sctp'))}>"
        )
        if self._rare(0.5):
            contact += f";expires={rng.choice((0, 1, 60, 300, 3600, 3600, '', '010', '0x10', 'never'))}"
        if self._rare(0.15):
            other = f"<sip:carol@{self.place(self.somebody(me), me.port)}>;expires=60"
            contact = rng.choice((f"{contact}, {other}", f"{other},{contact}"))
        name = rng.choice(("Contact", "Contact", "Contact", "m", "contact"))
        lines = [f"{name}: {contact}"]
        if self._rare(0.08):
            lines.append(f"Contact: <sip:dave@{self.place(self.somebody(me), me.port)}>")
        return lines

    def description(self, me: Sayer) -> str:
        """A session description: its own address, on hold, or somebody else's."""
        rng = self.rng
        net = "IN IP6" if self.six else "IN IP4"
        hold = "::" if self.six else "0.0.0.0"
        host = me.address if not self._rare(0.2) else rng.choice((self.somebody(me), hold))
        lines = ["v=0", f"o=- 1 1 {net} {host}", "s=-"]
        if not self._rare(0.1):
            lines.append(f"c={net} {host}")
        lines.append("t=0 0")
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4, 0))):
            kind = rng.choice(("audio", "audio", "audio", "video", "image", "text"))
            port = (
                rng.choice(self.talk.ports) if not self._rare(0.12) else rng.choice((0, 80, 4001, 65535, 65534, 70000))
            )
            lines.append(f"m={kind} {port} RTP/AVP 0 8")
            if self._rare(0.25):
                lines.append(f"c={net} {me.address if not self._rare(0.3) else rng.choice((self.somebody(me), hold))}")
            if self._rare(0.3):
                lines.append(rng.choice(("a=sendonly", "a=rtcp:4009", "b=AS:64", "c=IN IP4 x")))
        if self._rare(0.05):
            rng.shuffle(lines)
        return "\r\n".join(lines) + ("\r\n" if not self._rare(0.1) else "")
