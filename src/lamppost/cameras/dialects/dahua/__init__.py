"""Dahua's CGI: what its devices and those sold under other names answer."""

from lamppost.cameras.dialects.dahua.dialect import Dahua

__all__ = ["Dahua"]
