"""The host's sockets, and which of them a packet belongs to (kernel: inet_hashtables.c, udp.c)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iptables_emu.host.schema import U16, U32, Check, Place, address, boolean, keys, object_at, one_of, text
from iptables_emu.model.address import network
from iptables_emu.packet.packet import NO_FILE, TCP, UDP

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet

PROTOCOLS = {"tcp": TCP, "udp": UDP}


@dataclass(frozen=True, slots=True)
class Socket:
    """A bound socket; with a peer it is connected, without one it listens. ``address`` None is any.

    ``classid`` (net_cls) and ``cgroup`` (a path below the root of the cgroup2 tree) are None where not known.
    """

    proto: int
    port: int
    family: int = 4
    address: int | None = None
    peer: int | None = None
    peer_port: int = 0
    transparent: bool = False
    mark: int = 0
    uid: int | None = None
    gid: int | None = None
    classid: int | None = None
    cgroup: str | None = None

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Socket:
        """A socket in a host file's words."""
        own, peer = (network(str(given[key])) if key in given else None for key in ("address", "peer"))
        known = own or peer
        path = given.get("cgroup")
        return cls(
            PROTOCOLS[given["proto"]], int(given["port"]), known[0] if known else 4, (own[1] or None) if own else None,
            peer[1] if peer else None, int(given.get("peer_port", 0)), bool(given.get("transparent", False)),
            int(given.get("mark", 0)), given.get("uid"), given.get("gid"), given.get("classid"),
            None if path is None else path.strip("/"),
        )  # fmt: skip

    def takes(self, family: int, address: int) -> bool:
        """Whether it is bound so that packets to the address may be its own; IPv6's any is IPv4's, too."""
        if self.address is None:
            return self.family in (family, 6)
        return self.family == family and self.address == address

    def score(self, family: int) -> tuple[bool, bool, bool]:
        """Of several that would take a packet the greatest gets it."""
        return self.peer is not None, self.address is not None, self.family == family


# of the kernel itself: answers and errors
KERNEL = Socket(0, 0, uid=NO_FILE, gid=NO_FILE, classid=0, cgroup="")


class Sockets:
    """All sockets. ``known``: there are no others than these."""

    def __init__(self, sockets: Iterable[Socket] = (), known: bool = False) -> None:
        self._sockets = list(sockets)
        self.known = known

    def __iter__(self) -> Iterator[Socket]:
        return iter(self._sockets)

    def add(self, socket: Socket) -> None:
        self._sockets.append(socket)

    def connected(self, proto: int, family: int, source: tuple[int, int], local: tuple[int, int]) -> Socket | None:
        """The socket whose both ends (address, port) these are."""
        wanted = (proto, *source, local[1])
        found = (s for s in self._sockets if (s.proto, s.peer, s.peer_port, s.port) == wanted)
        return next((s for s in found if s.takes(family, local[0])), None)

    def listening(self, proto: int, family: int, address: int, port: int) -> Socket | None:
        """The socket without a peer that takes packets for this address and port."""
        waiting = (s for s in self._sockets if (s.proto, s.port, s.peer) == (proto, port, None))
        mine = [s for s in waiting if s.takes(family, address)]
        return max(mine, key=lambda s: s.score(family), default=None)

    def find(self, proto: int, family: int, source: tuple[int, int], local: tuple[int, int]) -> Socket | None:
        """The socket that a packet from ``source`` to ``local`` is handed to."""
        return self.connected(proto, family, source, local) or self.listening(proto, family, *local)

    def sender(self, pkt: Packet) -> Socket | None:
        """The socket that sent a packet of this host, where its ports tell."""
        ports = pkt.transport(4)
        if ports is None or pkt.proto not in (TCP, UDP):
            return None
        sport, dport = (int.from_bytes(ports[at : at + 2], "big") for at in (0, 2))
        return self.find(pkt.proto, pkt.family, (pkt.dst, dport), (pkt.src, sport))


def check_socket() -> Check:
    """One of a host's ``sockets``."""
    table = keys(
        {
            "proto": one_of(tuple(PROTOCOLS)), "address": address, "port": U16, "peer": address, "peer_port": U16,
            "transparent": boolean, "mark": U32, "uid": U32, "gid": U32, "classid": U32, "cgroup": text,
        },
        required=("proto", "port"),
    )  # fmt: skip

    def check(value: object, place: Place) -> None:
        table(value, place)
        socket = object_at(value, place)
        if ("peer" in socket) != ("peer_port" in socket):
            raise place.error("peer and peer_port stand together")
        if "peer" in socket and "address" in socket and (":" in str(socket["peer"])) != (":" in str(socket["address"])):
            raise place.key("peer").error(f"{socket['peer']} is of another family than {socket['address']}")

    return check
