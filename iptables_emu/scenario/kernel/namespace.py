"""Network namespaces, named ``ipsim-<pid>-<number>-<role>``."""

from __future__ import annotations

import atexit
import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from iptables_emu.scenario.kernel.process import LIBC, run_command

CLONE_NEWNET: Final = 0x40000000
PREFIX: Final = "ipsim"
NAMED: Final = Path("/run/netns")


class Namespace:
    """A named network namespace; deleted by `delete`, at the latest at exit."""

    def __init__(self, role: str):
        self._fd = -1
        self.name = _free_name(role)
        run_command(["ip", "netns", "add", self.name])
        atexit.register(self.delete)
        self._fd = os.open(NAMED / self.name, os.O_RDONLY)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Run the body inside this namespace (only this thread is moved)."""
        outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _set_namespace(self._fd)
            try:
                yield
            finally:
                _set_namespace(outside)
        finally:
            os.close(outside)

    def delete(self) -> None:
        """Delete it, and with it all its interfaces; sockets opened inside must be closed before."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            run_command(["ip", "netns", "del", self.name], check=False)
            atexit.unregister(self.delete)


def _set_namespace(fd: int) -> None:
    if LIBC.setns(fd, CLONE_NEWNET):
        code = ctypes.get_errno()
        raise OSError(code, f"setns: {os.strerror(code)}")


def _free_name(role: str) -> str:
    number = 1
    while (NAMED / (name := f"{PREFIX}-{os.getpid()}-{number}-{role}")).exists():
        number += 1
    return name


def remove_stale_namespaces() -> None:
    """Delete the namespaces of processes that are gone (they were killed)."""
    for path in NAMED.glob(f"{PREFIX}-*-*-*"):
        pid = path.name.split("-")[1]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            run_command(["ip", "netns", "del", path.name], check=False)
