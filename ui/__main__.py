"""Where the program starts. Qt is imported only once it is clear that a window is wanted and can be shown."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app import cli
from app.paths import Profile
from ui.screen import has_screen


def main() -> int:
    """The `eyelid` command: a command line's work in the terminal, the window without one."""
    if "--hidden" in sys.argv[1:]:  # how the entry for logging in starts it: there is no command line's work then
        from ui.main import main as window_main

        return window_main(sys.argv[1:])
    return cli.main(sys.argv[1:], window=_window if has_screen() else None)


def _window(profile: Profile, sims: Sequence[str]) -> int:
    from ui.main import open_window

    return open_window(profile, sims)


if __name__ == "__main__":
    sys.exit(main())
