"""How a carrier knows that it speaks with the right server, and says who it is itself."""

from __future__ import annotations

import ssl

from lamppost.base.errors import CarrierDown
from lamppost.model.carriers import NotifySettings


def tls_context(settings: NotifySettings) -> ssl.SSLContext:
    """Verifies the server's certificate and name, always; raises `CarrierDown` for a file that cannot be used."""
    try:
        context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise CarrierDown(f"its ca_file {settings.ca_file} cannot be used", remedy="certificates in PEM are needed") from error
    if settings.certificate_file is not None:
        key_file = str(settings.key_file) if settings.key_file else None

        def no_password() -> str:
            raise OSError("the key is encrypted")  # a process without a terminal must not ask for a password

        try:
            context.load_cert_chain(str(settings.certificate_file), key_file, password=no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise CarrierDown(
                f"its certificate_file {settings.certificate_file} cannot be used", remedy="certificate and plain key in PEM are needed"
            ) from error
    return context
