"""A house that tests begin with, made once in this process and copied for each of them: a bootstrap takes thirty times as long.

What can be reached from it is pickled, with the closures that a world's timers hold, which pickle alone refuses; a copy shares
nothing with another but secrets. The folder that it was made in is copied too, and each Path in there leads into the copy's.
"""

from __future__ import annotations

import io
import itertools
import os
import pickle
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CellType, FunctionType
from typing import Any, Generic, TypeVar, cast

from engine.secrets import Secret, register

T = TypeVar("T")

_LOCK, _OWNED, _LOCAL = type(threading.Lock()), type(threading.RLock()), threading.local


class Original(Generic[T]):
    """A thing as it is now, and its folder as that is now; the files are kept as long as this is."""

    def __init__(self, thing: T, folder: Path) -> None:
        self._pickled = _Pickled(thing, folder)
        assert str(folder).encode() not in self._pickled.data, "a text names the folder: the copies would look into the first one's"
        self._kept = tempfile.mkdtemp(prefix=_of_this_process("copied"))
        weakref.finalize(self, shutil.rmtree, self._kept)
        if folder.exists():
            shutil.copytree(folder, self._kept, dirs_exist_ok=True)

    def copy(self, folder: Path) -> T:
        """One of its own, and the files of then in this folder."""
        shutil.copytree(self._kept, folder, dirs_exist_ok=True)
        return cast("T", self._pickled.load(folder))


def _of_this_process(what: str) -> str:
    """How a folder of this process begins. What a process that was killed has left goes with the first of the next one's."""
    if not _made:
        clear_left(Path(tempfile.gettempdir()))
    return of_process(what)


def of_process(what: str, number: int | None = None) -> str:
    """How a folder of the process of this number (None: of ours) begins. Containers that share a folder for temporary files number
    their processes each by itself, so the name says which of them counts."""
    return f"{what}-{os.getpid() if number is None else number}-{_counted_by()}-"


def _counted_by() -> int:
    return Path("/proc/self/ns/pid").stat().st_ino


def clear_left(place: Path) -> None:
    """Take away the folders of processes that are gone. Of those of another container nobody knows that here."""
    for folder in (*place.glob(f"copied-*-{_counted_by()}-*"), *place.glob(f"making-*-{_counted_by()}-*")):
        owner = folder.name.split("-")[1]
        if not Path("/proc", owner).exists():
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class _Made:
    make: object
    given: _Pickled
    original: Original[Any]


_made: list[_Made] = []


def copied(make: Callable[..., T], folder: Path, *given: object) -> T:
    """What `make(folder, *given)` answers, and the files that it leaves in this folder. Called once for all that is given alike.

    Paths in what is given may lie in the folder, as a state folder does, and make no difference then. All else does: a house is
    equal to one whose files say something else.
    """
    pickled = _Pickled(given, folder)
    known = next((one.original for one in _made if one.make == make and one.given == pickled), None)
    if known is None:
        with tempfile.TemporaryDirectory(prefix=_of_this_process("making")) as name:
            known = Original(make(Path(name), *pickled.load(Path(name))), Path(name))
        _made.append(_Made(make, pickled, known))
    return cast("T", known.copy(folder))


class _Pickled:
    """A thing without the folder that it was made in."""

    def __init__(self, thing: object, folder: Path) -> None:
        into = io.BytesIO()
        dumper = _Dumper(into, folder)
        dumper.dump(thing)
        self.data, self._secrets = into.getvalue(), dumper.secrets

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pickled) and (self.data, self._secrets) == (other.data, other._secrets)

    __hash__ = None  # type: ignore[assignment]

    def load(self, folder: Path) -> Any:
        """Another one, in this folder."""
        for secret in self._secrets:  # the register of a test knows those of that test alone
            register.add(secret.reveal())
        return _Loader(self.data, folder, self._secrets).load()


class _Dumper(pickle.Pickler):
    def __init__(self, into: io.BytesIO, folder: Path) -> None:
        super().__init__(into, protocol=pickle.HIGHEST_PROTOCOL)
        self._folder = folder
        self.secrets = list[Secret]()

    def persistent_id(self, thing: Any) -> str | int | None:
        """A path in the folder by what follows it, a secret, which is never pickled, by its number."""
        if isinstance(thing, Secret):
            self.secrets.append(thing)
            return len(self.secrets) - 1
        return str(thing.relative_to(self._folder)) if isinstance(thing, Path) and thing.is_relative_to(self._folder) else None

    def reducer_override(self, thing: Any) -> Any:
        """What pickle refuses: functions made within functions, what they hold, and what threads share."""
        if isinstance(thing, FunctionType) and "<" in thing.__qualname__:
            _functions.append(thing)
            return _function, (len(_functions) - 1, thing.__defaults__, thing.__kwdefaults__, thing.__closure__)
        if isinstance(thing, CellType):
            return _cell, (), thing.cell_contents, None, None, _fill
        if isinstance(thing, _LOCK):
            return _lock, (thing.locked(),)
        if isinstance(thing, _OWNED):
            return threading.RLock, ()
        if isinstance(thing, _LOCAL):
            return _LOCAL, (), dict(thing.__dict__)
        if isinstance(thing, itertools.count):  # its own way to be pickled ends with Python 3.14
            return itertools.count, (int(repr(thing).removeprefix("count(").removesuffix(")")),)
        return NotImplemented


class _Loader(pickle.Unpickler):
    def __init__(self, data: bytes, folder: Path, secrets: list[Secret]) -> None:
        super().__init__(io.BytesIO(data))
        self._folder, self._secrets = folder, secrets

    def persistent_load(self, pid: Any) -> Path | Secret:
        """See persistent_id."""
        return self._secrets[pid] if isinstance(pid, int) else self._folder / pid


_functions: list[FunctionType] = []


def _function(number: int, defaults: Any, keywords: Any, closure: tuple[CellType, ...] | None) -> FunctionType:
    like = _functions[number]
    made = FunctionType(like.__code__, like.__globals__, like.__name__, defaults, closure)
    made.__kwdefaults__, made.__qualname__, made.__module__ = keywords, like.__qualname__, like.__module__
    return made


def _cell() -> CellType:
    return CellType()


def _fill(cell: CellType, content: object) -> None:
    cell.cell_contents = content


def _lock(locked: bool) -> Any:
    made = threading.Lock()
    if locked:
        made.acquire()
    return made
