from collections.abc import Sequence

class Error(Exception): ...

class Fault(Error):
    message: str
    code: str | None
    subcodes: Sequence[object] | None
