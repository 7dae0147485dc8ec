"""Eyelid without a screen: vault, media, glasses, library, sharing, and the command line. Nothing here knows Qt."""

__version__ = "0.1.0"
