"""Where the packaged program starts.

A packaged Eyelid is its own interpreter: its parts that run in processes of their own are started by the command line that Python itself
would get (`-E -s -m MODULE`), and only these modules are. Nothing of the project is imported before that is known, so that the courier
holds no more than it does elsewhere.
"""

from __future__ import annotations

import multiprocessing
import runpy
import sys

CHILDREN = frozenset({"app.courier", "app.courier.depot", "app.media.look", "app.media.heic", "app.imports.hand"})
"""What may be started so."""
_AS_PYTHON = ["-E", "-s", "-m"]


def child(arguments: list[str]) -> str | None:
    """The module that this command line starts as a process of its own; None for a person's command line."""
    if arguments[:3] == _AS_PYTHON and len(arguments) > 3 and arguments[3] in CHILDREN:
        return arguments[3]
    return None


def main() -> int:
    """The packaged `eyelid`."""
    multiprocessing.freeze_support()
    module = child(sys.argv[1:])
    if module is not None:
        sys.argv = [module, *sys.argv[5:]]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return 0
    from ui.__main__ import main as started

    return started()


if __name__ == "__main__":
    sys.exit(main())
