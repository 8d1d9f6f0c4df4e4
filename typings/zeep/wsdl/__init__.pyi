from typing import Any

Document: Any
