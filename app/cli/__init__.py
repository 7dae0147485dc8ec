"""The command line: the same core as the window, for terminals and scripts."""

from app.cli.main import main

__all__ = ["main"]
