"""``iptables-sim serve --stdio``: one JSON request a line, one JSON answer a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.programs import Environment, Result, program_of, run_program


class Server:
    """Keeps one state in memory between requests."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)
        self.reset()

    def reset(self) -> None:
        personality = self.environ.get("IPTABLES_SIM_BACKEND", "nft")
        self.ruleset = Ruleset("legacy" if personality == "legacy" else "nft")

    def answer(self, request: dict[str, Any]) -> Result:
        if request.get("reset"):
            self.reset()
            return Result(0)
        argv = [str(word) for word in request["argv"]]
        environ = {**self.environ, **(request.get("env") or {})}
        name = argv[0].rsplit("/", 1)[-1]
        if program_of(name) is None:
            from iptables_emu.cli.inner import run_inner

            return run_inner(argv, request.get("stdin") or "", environ, self.ruleset)
        strict = environ.get("IPTABLES_SIM_STRICT", "") not in ("", "0")
        env = Environment(self.ruleset, strict, lambda: request.get("stdin") or "")
        return run_program(argv, env)

    def loop(self, stdin: IO[str], stdout: IO[str]) -> None:
        """Answer until the input ends; a bad line gets an answer, too."""
        for line in stdin:
            if not line.strip():
                continue
            try:
                request = json.loads(line)
                if not isinstance(request, dict) or not (request.get("reset") or request.get("argv")):
                    raise ValueError("a request is an object with argv or reset")
                result = self.answer(request)
            except ValueError as error:
                result = Result(2, "", f"serve: {error}\n")
            stdout.write(json.dumps({"rc": result.rc, "stdout": result.stdout, "stderr": result.stderr}) + "\n")
            stdout.flush()
