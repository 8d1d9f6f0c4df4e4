"""Work of one clip in threads of its own: decoding ahead and encoding behind, both bounded, and loading meanwhile.

FFmpeg, OpenCV and ONNX Runtime let go of the interpreter while they work, so
that a clip keeps more than one core busy.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar, cast

T = TypeVar("T")

_PATIENCE_S = 0.1


class _End:
    """Nothing more comes."""


_END = _End()


class Ahead(Generic[T]):
    """Iterates `source` in a thread, at most `limit` items ahead; its error is raised here.

    `close` waits for the thread; the source is not touched afterwards.
    """

    def __init__(self, source: Iterable[T], *, limit: int = 8, name: str = "ahead") -> None:
        self._source = source
        self._items: queue.Queue[T | _End] = queue.Queue(maxsize=limit)
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for item in self._source:
                if not put_unless(self._stop, self._items, item):
                    return
        except BaseException as error:  # noqa: BLE001  (raised again by the thread that iterates)
            self._error = error
        put_unless(self._stop, self._items, _END)

    def __iter__(self) -> Iterator[T]:
        while True:
            item = self._items.get()
            if isinstance(item, _End):
                break
            yield item
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Behind(Generic[T]):
    """Calls `take` for each item in a thread, in order; `put` waits while `limit` items are due.

    An error of `take` is raised by the next `put` or by `finish`. `close`
    without `finish` leaves what is still due undone.
    """

    def __init__(self, take: Callable[[T], None], *, limit: int = 8, name: str = "behind") -> None:
        self._take = take
        self._items: queue.Queue[T | _End] = queue.Queue(maxsize=limit)
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                item = self._items.get(timeout=_PATIENCE_S)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                return
            try:
                self._take(item)
            except BaseException as error:  # noqa: BLE001  (raised again by the thread that puts)
                self._error = error
                self._stop.set()

    def put(self, item: T) -> None:
        if not put_unless(self._stop, self._items, item):
            self._raise()

    def finish(self) -> None:
        """Wait until everything is done; raises what went wrong."""
        put_unless(self._stop, self._items, _END)
        self._thread.join()
        self._raise()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Meanwhile(Generic[T]):
    """Makes one thing in a thread, for whoever asks for it later; an error is raised to all who ask."""

    def __init__(self, make: Callable[[], T], *, name: str = "meanwhile") -> None:
        self._make = make
        self._made: T | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._made = self._make()
        except BaseException as error:  # noqa: BLE001  (raised again by the thread that asks)
            self._error = error

    def get(self) -> T:
        """What was made, waiting for it if need be."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return cast("T", self._made)


def put_unless(stop: threading.Event, items: queue.Queue[T], item: T) -> bool:
    """Put `item`, waiting while `items` is full; false when `stop` was set before there was room."""
    while not stop.is_set():
        with contextlib.suppress(queue.Full):
            items.put(item, timeout=_PATIENCE_S)
            return True
    return False
