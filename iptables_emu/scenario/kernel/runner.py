"""Runs scenarios on the kernel of this machine."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final, Self

from iptables_emu.scenario.kernel.klog import KernelLog
from iptables_emu.scenario.kernel.namespace import NAMED, Namespace, remove_stale_namespaces
from iptables_emu.scenario.kernel.process import KernelError, run_command
from iptables_emu.scenario.kernel.session import Observation, Scenario, Session, rulesets_of
from iptables_emu.scenario.kernel.trace import TRACE_TABLE, tracing_script

NEEDED: Final = (
    "ip", "nft", "conntrack",
    *(f"{name}-{backend}-{what}" for name in ("iptables", "ip6tables") for backend in ("nft", "legacy")
      for what in ("restore", "save")),
)  # fmt: skip
SESSIONS_KEPT: Final = 6


def unavailable() -> str | None:
    """Why scenarios cannot be run on the kernel here; None if they can."""
    if os.geteuid() != 0:
        return "the kernel needs root"
    missing = [program for program in NEEDED if not shutil.which(program)]
    if missing:
        return f"{missing[0]} is not installed"
    try:
        os.close(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK))
        if not NAMED.parent.is_dir():
            return f"no directory {NAMED.parent}"
        probe = Namespace("probe")
        try:
            with probe.entered():
                for backend in ("nft", "legacy"):
                    run_command(["nft", "-f", "-"], tracing_script(backend) + f"delete table inet {TRACE_TABLE}\n")
                    run_command([f"iptables-{backend}-restore"], "*filter\nCOMMIT\n")
        finally:
            probe.delete()
    except (OSError, KernelError) as error:
        return f"the kernel cannot be used: {' '.join(str(error).split())}"
    return None


class KernelRunner:
    """Runs scenarios, keeping the last few hosts up between them; a context manager.

    While it lives, the machine's /sys/kernel/rcu_expedited is set: loading an nft ruleset waits for RCU several
    times, and takes 3 ms instead of 30 ms this way.
    """

    def __init__(self) -> None:
        remove_stale_namespaces()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._klog = KernelLog()
        self._haste = Expedited()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete all namespaces."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self._klog.close()
        self._haste.close()

    def run(self, scenario: dict[str, Any]) -> Observation:
        """Run one checked scenario; KernelError or OSError when the run itself fails."""
        session = self._session(scenario)
        try:
            return session.run(scenario)
        except BaseException:
            session.spoil()
            raise

    def _session(self, scenario: Scenario) -> Session:
        host, backend = scenario.get("host", {}), scenario.get("backend", "nft")
        ipv6 = "ipv6" in rulesets_of(scenario)
        # the order of interfaces gives them their addresses, so keys are not sorted
        key = json.dumps([host, backend, ipv6])
        session = self._sessions.pop(key, None)
        if session and not session.fit_for(scenario):
            session.close()
            session = None
        session = session or Session(host, backend, ipv6, self._klog)
        self._sessions[key] = session
        while len(self._sessions) > SESSIONS_KEPT:
            self._sessions.popitem(last=False)[1].close()
        return session


class Expedited:
    """Sets rcu_expedited; the last process of this program that holds it puts the old value back."""

    SWITCH: Final = Path("/sys/kernel/rcu_expedited")
    LOCK: Final = "/run/ipsim-expedited.lock"

    def __init__(self) -> None:
        self._lock = os.open(self.LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        try:
            self.SWITCH.write_text("1")
        except OSError:
            self.close()  # it is only slower then

    def close(self) -> None:
        """Put it back, if nobody else needs it."""
        if self._lock < 0:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.SWITCH.write_text("0")
        except OSError:
            pass
        os.close(self._lock)
        self._lock = -1
