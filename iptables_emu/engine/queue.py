"""Packets that wait for a program in user space (kernel: nf_queue.c, nfnetlink_queue.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.engine.verdict import Verdict

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

MOST_QUEUES = 16  # from one listener to the next


def answer(pkt: Packet, ctx: Context) -> Verdict | None:
    """What becomes of the packet in ``ctx.queue``; None: the table is walked again.

    The listener's verdict is the host's. Without a listener the packet goes on with the next table, if it may
    (``--queue-bypass``); else it is lost, which is QUEUE.
    """
    if ctx.queue is None:
        ctx.note(pkt, "QUEUE: the legacy iptables has it still, iptables-nft refuses it (use NFQUEUE)")
    number, bypass = ctx.queue or (0, False)
    for _ in range(MOST_QUEUES):
        listener = ctx.host.queues.get(number)
        if listener is None:
            ctx.note(pkt, f"queue {number}: nobody listens" + (", so it goes on" if bypass else ""))
            return Verdict.ACCEPT if bypass else Verdict.QUEUE
        told = f"queue {listener.queue}" if listener.queue is not None else listener.verdict
        ctx.note(pkt, f"queue {number}: the listener says {told}")
        if listener.mark is not None:
            ctx.set_mark(pkt, listener.mark)
        if listener.queue is None:
            return {"accept": Verdict.ACCEPT, "drop": Verdict.DROP, "repeat": None}[listener.verdict]
        number, bypass = listener.queue, False
    ctx.note(pkt, f"after {MOST_QUEUES} queues it still has no verdict")
    return Verdict.UNKNOWN
