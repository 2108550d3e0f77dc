"""Listeners of NFQUEUE that answer as the host says (linux/netfilter/nfnetlink_queue.h)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

from iptables_emu.host.extras import Listener, listener
from iptables_emu.scenario.kernel.netlink import Nfnetlink, Subsystem, attribute

PACKET, VERDICT, CONFIG = 0, 1, 2
CFG_CMD, CFG_PARAMS, BIND, COPY_META = 1, 2, 1, 1
PACKET_HDR, VERDICT_HDR, MARK = 1, 2, 3
QUEUE: Final = 3
VERDICTS: Final = {"drop": 0, "accept": 1, "repeat": 4}


class QueueListeners:
    """One socket for each queue; made in the host's namespace."""

    def __init__(self, queues: Mapping[str, Any]) -> None:
        self._queues: list[tuple[int, Listener, Nfnetlink]] = []
        for number, given in queues.items():
            link = Nfnetlink()
            self._queues.append((int(number), listener(given), link))
            commands = (attribute(CFG_CMD, struct.pack("!BBH", BIND, 0, 0)),
                        attribute(CFG_PARAMS, struct.pack("!IB", 0, COPY_META)))  # fmt: skip
            for command in commands:
                link.request(Subsystem.QUEUE, CONFIG, command, resource=int(number))

    def close(self) -> None:
        """Nobody listens any more."""
        for _, _, link in self._queues:
            link.close()

    def answer(self) -> int:
        """Give a verdict on every packet that waits; how many there were."""
        answered = 0
        for number, one, link in self._queues:
            for message in link.drain():
                if message.type != Subsystem.QUEUE << 8 | PACKET:
                    continue
                ident = message.attributes()[PACKET_HDR][:4]
                code = VERDICTS[one.verdict] if one.queue is None else QUEUE | one.queue << 16
                body = attribute(VERDICT_HDR, struct.pack("!I", code) + ident)
                body += attribute(MARK, struct.pack("!I", one.mark)) if one.mark is not None else b""
                link.tell(Subsystem.QUEUE, VERDICT, body, resource=number)
                answered += 1
        return answered
