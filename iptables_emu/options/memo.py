"""A memory of results by arguments, that keeps the function's type for the checker."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def memo(size: int | None = None) -> Callable[[F], F]:
    """Like ``functools.lru_cache(size)``; classes as arguments are no matter for the type checker."""

    def decorate(function: F) -> F:
        return cast("F", lru_cache(maxsize=size)(function))

    return decorate
