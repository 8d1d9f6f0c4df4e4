from typing import Any

Client: Any
Settings: Any
