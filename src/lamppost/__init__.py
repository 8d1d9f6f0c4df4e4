"""Lamppost: the whole safe city, without the surveillance of persons."""

__version__ = "0.1.0"
