"""The kernel's side of scenarios, where it can be used."""

from tests.kernel.conftest import runner

__all__ = ["runner"]
