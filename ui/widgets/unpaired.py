"""Glasses that pair with nothing but their phone app: which they are, said plainly, and how their captures get here all the same."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from app.imports.families import FAMILIES
from ui.i18n import said as tr_core
from ui.i18n import tr
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.badge import Badge
from ui.widgets.basics import button, card, column, heading, label, noted, row
from ui.widgets.flow import FlowLayout


def families() -> tuple[str, ...]:
    """Names of products, the same in all languages."""
    return tuple(tr_core(each.label) for each in FAMILIES if not each.pairs)


class OtherGlasses(QWidget):
    """A card for the glasses page; `bring` leads to the import."""

    def __init__(self, theme: Theme, bring: Callable[[], object]) -> None:
        super().__init__()
        title = tr("Ray-Ban Meta and others that do not pair")
        honest = tr(
            "These pair with nothing but their phone app: no computer can connect to them, and Eyelid can't either. What their app has "
            "saved comes in all the same, and Eyelid tells which glasses it is from."
        )
        names = FlowLayout(*(Badge(theme, "glasses", name) for name in families()))
        self.bring = button(theme, tr("Import captures…"), bring, icon="import", name=tr("Import captures of glasses that do not pair"))
        shown = card(
            heading(theme, "import", title),
            label(honest, tone="muted", wrap=True),
            names,
            label(tr("How they get here"), "strong"),
            noted(theme, "camera", "muted", tr("In the phone app of the glasses, save the captures to the phone's photos.")),
            noted(theme, "drive", "muted", tr("Connect the phone by USB. Some glasses show up by USB themselves, as a drive or a camera.")),
            noted(theme, "eye", "muted", tr("Or let the phone's synchronisation put them into a folder that Eyelid watches.")),
            noted(theme, "other", "muted", tr("Or bring the files here in any other way, and drop them on Captures.")),
            row(self.bring, None),
            gap=GRID + 2,
        )
        self.setLayout(column(shown))
