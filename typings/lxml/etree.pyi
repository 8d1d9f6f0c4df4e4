from collections.abc import Iterator
from typing import Any

class XMLSyntaxError(SyntaxError): ...

class XMLParser:
    def __init__(
        self,
        *,
        resolve_entities: bool = ...,
        load_dtd: bool = ...,
        no_network: bool = ...,
        huge_tree: bool = ...,
        recover: bool = ...,
        remove_comments: bool = ...,
        remove_pis: bool = ...,
    ) -> None: ...

def fromstring(text: bytes, parser: XMLParser | None = ...) -> Any: ...
def tostring(element: Any, *, encoding: str, with_tail: bool = ...) -> str: ...
def iterwalk(element: Any, events: tuple[str, ...] = ...) -> Iterator[tuple[str, Any]]: ...
