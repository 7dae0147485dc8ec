"""The one door for words that people read: every sentence of the window passes through `tr`, so a translation can be put in later.

Owns no catalogue yet; until one exists the English text is its own key.
"""

from __future__ import annotations


def tr(text: str, /, **values: object) -> str:
    """Return `text` in the person's language with `{name}` fields filled in; values are never parsed as format strings."""
    return text.format(**values) if values else text


def plural(count: int, one: str, many: str, /, **values: object) -> str:
    """Return `one` or `many` by `count`, which both may use as `{count}`."""
    return tr(one if count == 1 else many, count=count, **values)
