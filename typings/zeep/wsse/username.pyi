from typing import Any

UsernameToken: Any
