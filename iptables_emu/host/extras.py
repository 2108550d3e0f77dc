"""What a host file may say of a machine's other rooms: accounting objects, IPsec, IPVS, listeners of queues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iptables_emu.host import schema
from iptables_emu.host.schema import U16, U32, Check, Place
from iptables_emu.model.address import network, prefix_mask
from iptables_emu.packet.packet import TCP, UDP

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet

U64 = schema.integer(0, (1 << 64) - 1)
IPSEC_PROTOCOLS = {"esp": 50, "ah": 51, "ipcomp": 108}
PORTED = {"tcp": TCP, "udp": UDP}
METHODS = ("GATE", "IPIP", "MASQ")


@dataclass(slots=True)
class Account:
    """An object of nfnetlink_acct; ``quota`` counts ``of`` packets or bytes, None without one."""

    packets: int = 0
    bytes: int = 0
    quota: int | None = None
    of: str = "bytes"

    def over(self) -> bool | None:
        """Whether more than the quota was counted; None without a quota (kernel: nfnl_acct_overquota)."""
        have = self.packets if self.of == "packets" else self.bytes
        return None if self.quota is None else have > self.quota


@dataclass(frozen=True, slots=True)
class Selector:
    """Packets between two networks, of a protocol (0: any)."""

    src: tuple[int, int, int] | None  # family, network, prefix length
    dst: tuple[int, int, int] | None
    proto: int = 0

    def selects(self, pkt: Packet) -> bool:
        """Whether the packet, as it looks now, is one of these."""
        sides = ((self.src, pkt.src), (self.dst, pkt.dst))
        return (not self.proto or pkt.proto == self.proto) and all(
            side is None or (side[0] == pkt.family and not (value ^ side[1]) & prefix_mask(side[2], pkt.family))
            for side, value in sides
        )


@dataclass(frozen=True, slots=True)
class IpsecState:
    """One transformation: ``spi``, ``reqid``; the ends of a tunnel are 0 in transport mode."""

    proto: int
    mode: str
    spi: int
    reqid: int
    tunnel_src: int = 0
    tunnel_dst: int = 0


@dataclass(frozen=True, slots=True)
class Ipsec:
    """Packets that came through these states (``dir`` in), or will leave by them, in the order they are used."""

    dir: str
    selector: Selector
    states: tuple[IpsecState, ...]


@dataclass(frozen=True, slots=True)
class IpvsConnection:
    """A connection that IPVS balances; ends are (address, port), ``real`` the chosen server's."""

    proto: int
    virtual: tuple[int, int]
    method: str
    family: int
    client: tuple[int, int | None] | None = None
    real: tuple[int, int] | None = None
    control_port: int | None = None

    def holds(self, pkt: Packet) -> bool:
        """Whether a packet, in whichever direction, before or after IPVS has changed it, belongs to it."""
        ports = pkt.transport(4)
        if ports is None or (pkt.family, pkt.proto) != (self.family, self.proto):
            return False
        ends = ((pkt.src, int.from_bytes(ports[:2], "big")), (pkt.dst, int.from_bytes(ports[2:4], "big")))
        servers = (self.virtual, self.real)
        return (ends[1] in servers and self._client(ends[0])) or (ends[0] in servers and self._client(ends[1]))

    def _client(self, end: tuple[int, int]) -> bool:
        return self.client is None or (end[0] == self.client[0] and self.client[1] in (None, end[1]))


@dataclass(frozen=True, slots=True)
class Listener:
    """What the program behind a queue answers: accept, drop, repeat, or another queue's number; a new mark."""

    verdict: str = "accept"
    mark: int | None = None
    queue: int | None = None


# -- from a host file's words ---------------------------------------------------------------------------


def account(given: Mapping[str, Any]) -> Account:
    packets, octets = int(given.get("packets", 0)), int(given.get("bytes", 0))
    return Account(packets, octets, given.get("quota"), given.get("of", "bytes"))


def listener(given: str | Mapping[str, Any]) -> Listener:
    if isinstance(given, str):
        return Listener(given)
    return Listener(str(given.get("verdict", "accept")), given.get("mark"), given.get("queue"))


def ipsec(given: Mapping[str, Any]) -> Ipsec:
    src, dst = (network(str(given[key])) if key in given else None for key in ("src", "dst"))
    states = tuple(
        IpsecState(
            IPSEC_PROTOCOLS[one.get("proto", "esp")], str(one.get("mode", "transport")), int(one.get("spi", 0)),
            int(one.get("reqid", 0)),
            *(network(str(one[key]))[1] if key in one else 0 for key in ("tunnel_src", "tunnel_dst")),
        )
        for one in given["states"]
    )  # fmt: skip
    return Ipsec(str(given["dir"]), Selector(src, dst, PORTED.get(str(given.get("proto")), 0)), states)


def ipvs(given: Mapping[str, Any]) -> IpvsConnection:
    family, vaddr, _ = network(str(given["vaddr"]))
    client = (network(str(given["client"]))[1], given.get("client_port")) if "client" in given else None
    real = (network(str(given["real"]))[1], int(given.get("real_port", given["vport"]))) if "real" in given else None
    virtual = vaddr, int(given["vport"])
    proto, control = PORTED[given["proto"]], given.get("control_port")
    return IpvsConnection(proto, virtual, given["method"], family, client, real, control)


# -- their checks ----------------------------------------------------------------------------------------

ACCOUNT = schema.keys({"packets": U64, "bytes": U64, "quota": U64, "of": schema.one_of(("packets", "bytes"))})
_STATE = schema.keys(
    {
        "proto": schema.one_of(tuple(IPSEC_PROTOCOLS)), "mode": schema.one_of(("transport", "tunnel")), "spi": U32,
        "reqid": U32, "tunnel_src": schema.address, "tunnel_dst": schema.address,
    }
)  # fmt: skip
IPSEC = schema.keys(
    {
        "dir": schema.one_of(("in", "out")), "src": schema.address_with_prefix, "dst": schema.address_with_prefix,
        "proto": schema.one_of(("tcp", "udp")), "states": schema.list_of(_STATE),
    },
    required=("dir", "states"),
)  # fmt: skip
IPVS = schema.keys(
    {
        "proto": schema.one_of(("tcp", "udp")), "vaddr": schema.address, "vport": U16, "method": schema.one_of(METHODS),
        "client": schema.address, "client_port": U16, "real": schema.address, "real_port": U16, "control_port": U16,
    },
    required=("proto", "vaddr", "vport", "method"),
)  # fmt: skip
VERDICTS = ("accept", "drop", "repeat")
_LISTENER = schema.keys({"verdict": schema.one_of(VERDICTS), "mark": U32, "queue": U16})
LISTENER: Check = schema.either(str, schema.one_of(VERDICTS), _LISTENER)


def check_account_name(value: object, place: Place) -> None:
    """A name that fits nfnetlink_acct."""
    if not 0 < len(str(value).encode("utf-8", "surrogatepass")) < 32:
        raise place.key(str(value)).error("a name has 1 to 31 bytes")
