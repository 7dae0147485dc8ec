"""The one extra choice of an approval, where there may be one at all: for how long the same is allowed without being asked again."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QWidget

from app.sharing.grants import GrantOffer, GrantSpan, GrantWish
from ui.i18n import tr
from ui.theme import Theme
from ui.tokens import GRID
from ui.widgets.basics import label, row

MINUTES = 15
ITEMS = 5


class WishBox(QWidget):
    """Hidden unless more than "only this once" may be chosen; nothing is chosen beforehand."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.box = QComboBox()
        self.box.setAccessibleName(tr("What is allowed"))
        self.box.setMinimumWidth(theme.scaled(36 * GRID))
        title = label(tr("Allow"), tone="muted")
        title.setBuddy(self.box)
        self.setLayout(row(None, title, self.box, gap=GRID))
        self.hide()

    def show_offer(self, offer: GrantOffer) -> None:
        """Offer what `offer` has; the choice goes back to "only this once"."""
        self.box.clear()
        said = {
            GrantSpan.ONCE: tr("only this once"),
            GrantSpan.CONVERSATION: tr(
                "this conversation, for {minutes} minutes and {items} photos",
                minutes=min(MINUTES, offer.most_minutes),
                items=min(ITEMS, offer.most_items),
            ),
            GrantSpan.UNTIL_OFF: tr("whatever I ask here, until I turn it off"),
        }
        for span in offer.spans:
            self.box.addItem(said[span], span.value)
        self._offer = offer
        self.setVisible(len(offer.spans) > 1)

    @property
    def wish(self) -> GrantWish | None:
        """What was chosen; None for this once alone."""
        if self.isHidden() or self.box.currentIndex() <= 0:
            return None
        span = GrantSpan(str(self.box.currentData()))
        return GrantWish(span, min(MINUTES, self._offer.most_minutes), min(ITEMS, self._offer.most_items))
