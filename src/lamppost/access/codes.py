"""One-time codes of an app (TOTP, RFC 6238): a secret, the picture that the app reads, and which code it was."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

import segno
from cryptography.fernet import Fernet, InvalidToken
from pyotp import random_base32
from pyotp.totp import TOTP

from lamppost.base.clock import US_PER_S
from lamppost.base.errors import StoreError

STEP_S: Final = 30
DRIFT_STEPS: Final = 1  # so far may the app's clock be off
_ISSUER: Final = "Lamppost"
_SVG: Final = "http://www.w3.org/2000/svg"  # as a picture of its own it needs the name of what it is


@dataclass(frozen=True, slots=True)
class Pairing:
    """What an app needs to make codes; shown once."""

    secret: str
    uri: str
    qr_svg: str


@dataclass(frozen=True, slots=True)
class CodesOffered:
    """What an app needs to make codes, and what else it takes to turn them on."""

    pairing: Pairing
    needs_password: bool
    needs_old_code: bool


def pair(secret: str, name: str, site: str) -> Pairing:
    """How an app is told the secret."""
    uri = TOTP(secret).provisioning_uri(name=name, issuer_name=f"{_ISSUER} {site}".strip())
    drawing = segno.make(uri, error="m", micro=False).svg_inline(omitsize=True, border=2)
    return Pairing(secret, uri, drawing.replace("<svg", f'<svg xmlns="{_SVG}"', 1))


def new_secret() -> str:
    """160 bits in base32."""
    return random_base32()


def step_of(secret: str, code: str, now_us: int) -> int | None:
    """The number of the code, where it is one of now or of a step before or after; None for a wrong one."""
    totp = TOTP(secret, interval=STEP_S)
    now_step = now_us // US_PER_S // STEP_S
    digits = "".join(code.split())
    found = [
        step
        for step in range(now_step - DRIFT_STEPS, now_step + DRIFT_STEPS + 1)
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode())
    ]
    return max(found, default=None)


class Seal:
    """Keeps secrets of codes unreadable in the database: who has that alone cannot make codes."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    @staticmethod
    def new_key() -> bytes:
        return Fernet.generate_key()

    def close_up(self, secret: str) -> str:
        return self._fernet.encrypt(secret.encode()).decode()

    def open_up(self, sealed: str) -> str:
        """Raises `StoreError` where another key closed it."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise StoreError(
                "the secret of somebody's codes cannot be read",
                remedy="keys/access.key is not the one it was: put it back, or turn their codes off",
            ) from error
