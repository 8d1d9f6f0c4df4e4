from datetime import datetime
from typing import Any

def UsernameToken(username: str, password: str, *, use_digest: bool = ..., created: datetime | None = ...) -> Any: ...
