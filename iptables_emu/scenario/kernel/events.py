"""What ``conntrack -E`` tells in a namespace while a scenario runs there."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import ExitStack
from typing import IO, Final

from iptables_emu.scenario.kernel.namespace import Namespace
from iptables_emu.scenario.kernel.process import KernelError

ROOM: Final = "1000000"  # of the socket; the program tells it once it listens
START_SECONDS: Final = 10.0
SETTLE_SECONDS: Final = 0.1  # until the last events have been printed


class Listeners:
    """Two programs that listen from now on: for connections, and for expectations."""

    def __init__(self, host: Namespace) -> None:
        self._undo = ExitStack()
        with host.entered():
            self._expect = self._start("expect")
            self._flows = self._start("-b", ROOM)
        ready = self._flows.stderr
        assert ready is not None
        if not select.select([ready], [], [], START_SECONDS)[0]:
            self.close()
            raise KernelError("conntrack -E does not begin to listen")
        time.sleep(SETTLE_SECONDS)

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(["conntrack", "-E", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._undo.callback(_end, process)
        return process

    def stop(self) -> list[str]:
        """The lines of both, first those of connections."""
        time.sleep(SETTLE_SECONDS)
        lines: list[str] = []
        for process in (self._flows, self._expect):
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate()
            lines += out.decode(errors="replace").splitlines()
        self.close()
        return lines

    def close(self) -> None:
        """End them, whatever they do."""
        self._undo.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    pipes: tuple[IO[bytes] | None, ...] = (process.stdout, process.stderr)
    for pipe in pipes:
        if pipe is not None:
            pipe.close()
