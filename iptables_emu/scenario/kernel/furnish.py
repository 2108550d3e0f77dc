"""What a host has besides links and addresses: accounting objects, fingerprints."""

from __future__ import annotations

import contextlib
import fcntl
import struct
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from iptables_emu.host.extras import account
from iptables_emu.scenario.kernel.netlink import NLM_F_ACK, NLM_F_CREATE, Nfnetlink, Subsystem, attribute
from iptables_emu.scenario.kernel.process import KernelError, run_command

OSF_LOCK: Final = "/run/ipsim-osf.lock"
ACCT_NEW: Final = 0
# linux/netfilter/nfnetlink_acct.h
NAME, PACKETS, BYTES, FLAGS, QUOTA = 1, 2, 3, 5, 6
QUOTA_OF: Final = {"packets": 1, "bytes": 2}


def make_accounts(objects: Mapping[str, Any], link: Nfnetlink) -> None:
    """The objects of nfnetlink_acct, in the namespace of the socket."""
    for name, given in objects.items():
        one = account(given)
        body = attribute(NAME, name.encode() + b"\0")
        body += attribute(PACKETS, struct.pack("!Q", one.packets)) + attribute(BYTES, struct.pack("!Q", one.bytes))
        if one.quota is not None:
            body += attribute(FLAGS, struct.pack("!I", QUOTA_OF[one.of])) + attribute(
                QUOTA, struct.pack("!Q", one.quota)
            )
        link.request(Subsystem.ACCT, ACCT_NEW, body, flags=NLM_F_ACK | NLM_F_CREATE)


@contextlib.contextmanager
def fingerprints(lines: str) -> Iterator[None]:
    """Loads the lines of a fingerprint file. The kernel has them once for all namespaces, so whoever needs them last
    takes them away."""
    if not lines:
        yield
        return
    with tempfile.NamedTemporaryFile("w", suffix=".os") as file, Path(OSF_LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        Path(file.name).write_text(lines if lines.endswith("\n") else f"{lines}\n", encoding="latin-1")
        try:
            run_command(["nfnl_osf", "-f", file.name])
            yield
        finally:
            with contextlib.suppress(KernelError, OSError):  # others need them
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                run_command(["nfnl_osf", "-d", "-f", file.name])
