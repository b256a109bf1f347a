"""Counts what is on the shelves, in every construct that the two parsers could read differently."""
from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from .shelves import Shelf

T = TypeVar("T")
EMPTY = {}


def counted(kinds=("a", "b"), *, limit: int = 3, **more):
    return [kind for kind in kinds if kind in more or limit > 2 and kind]


@counted
@counted(limit=1)
async def walk(shelves: "list[Shelf]") -> Iterator[T]:
    async for shelf in shelves:
        async with shelf.lock as held, held.inner:
            if (count := len(shelf)) > 3 and not (shelf.empty or count):
                yield count
            elif count:
                await asyncio.sleep(0)
            else:
                continue
    else:
        raise LookupError


class Inventory(Generic[T]):
    """Everything there is."""

    limit: int = 3 if EMPTY else 4
    keys = {key: value for key, value in EMPTY.items() if key if value}

    def __init__(self, /, first, second=None, *rest):
        self.first = first or second
        self.rest = (one for group in rest for one in group if one)

    class Row:
        def total(self): return sum(self) if self else 0

        @property
        def name(self):
            def inner():
                for _ in self:
                    while True:
                        break
            return inner

    @staticmethod
    def kind(value):
        match value:
            case {"kind": str(name), **rest} if rest and name:
                return name
            case [first, *_] | (first, _):
                return first
            case Inventory(first=1) | None:
                return lambda one: one and value or None
            case _:
                return f"{value!r:>{10 if value else 20}} {[x for x in value if x]}"

    def checked(self):
        try:
            assert self.first, "none"
        except* (ValueError, TypeError) as group:
            del group
        try:
            pass
        except OSError:
            pass
        except:
            raise
        else:
            return 1
        finally:
            self.first = None


if __name__ == "__main__":
    def main(): print(*counted())
    main()
