from typing import Any

class ONVIFWSDL:
    @classmethod
    def get_definition(cls, service: str, version: str = ...) -> dict[str, Any]: ...
