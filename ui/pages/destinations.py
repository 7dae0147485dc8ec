"""Where questions may go: the list with its terms, a server on this computer, and the key of an account. Keys go to the keyring only."""

from __future__ import annotations

import asyncio
from functools import partial

from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from app.sharing.types import Destination
from ui.context import Context
from ui.dialogs import ask
from ui.i18n import tr
from ui.theme import set_role
from ui.tokens import GRID
from ui.widgets.badge import policy_badge
from ui.widgets.banner import Banners
from ui.widgets.basics import button, clear_layout, column, hide_if, label, row, rule


class DestinationsCard(QFrame):
    """Nothing here is needed to use Eyelid: the mirror works without any of it."""

    def __init__(self, context: Context, banners: Banners) -> None:
        super().__init__()
        set_role(self, "card")
        self._context = context
        self._banners = banners
        self._rows = QVBoxLayout()
        self._rows.setSpacing(GRID + 4)
        self.url, self.model, self.name = _field(tr("Address, like http://127.0.0.1:1234/v1")), _field(tr("Model")), _field(tr("Name"))
        self._add = button(context.theme, tr("Add this server"), self.add_local, icon="plus")
        hint = tr("LM Studio, llama.cpp, vLLM or Ollama. What you ask stays on this computer.")
        self.setLayout(
            column(
                label(tr("Where questions may go"), "lead"),
                self._rows,
                rule(),
                label(tr("Add a server on this computer"), "strong"),
                label(hint, tone="muted", wrap=True),
                row(self.name, self.model),
                self.url,
                row(self._add, None),
                gap=GRID + 2,
                margins=(20, 2 * GRID, 20, 2 * GRID),
            )
        )

    def refresh(self) -> None:
        """List the destinations there are now."""
        clear_layout(self._rows)
        sharing = self._context.services.sharing
        for destination in sharing.destinations():
            line = row(gap=GRID + 4)
            about = " · ".join(part for part in (destination.origin, destination.model) if part)
            line.addLayout(column(label(destination.label, "strong"), label(about, "small"), gap=0), 1)
            line.addWidget(policy_badge(self._context.theme, sharing.card(destination.id).policy_class))
            self._rows.addLayout(line)
            if not destination.id.startswith(("local-", "mirror")):
                account = self._account(destination)
                said = tr("Set up…") if not destination.model else tr("Change…")
                name = tr("Set up {name}", name=destination.label)
                line.addWidget(button(self._context.theme, said, partial(self._unfold, account), role="quiet", name=name))
                self._rows.addWidget(account)
            elif destination.id.startswith("local-"):
                remove = button(
                    self._context.theme,
                    tr("Remove"),
                    partial(self._remove, destination),
                    role="quiet",
                    name=tr("Remove {name}", name=destination.label),
                )
                line.addWidget(remove)

    @staticmethod
    def _unfold(account: QWidget) -> None:
        account.setVisible(account.isHidden())
        if account.isVisible() and (first := next((one for one in account.findChildren(QLineEdit) if not one.isHidden()), None)):
            first.setFocus()

    def _account(self, destination: Destination) -> QWidget:
        """Key and model of one destination, folded away until asked for."""
        key, model = _field(tr("Key for {name}", name=destination.label)), _field(tr("Model of {name}", name=destination.label))
        key.setPlaceholderText(tr("Key (kept in the keyring, never shown again)"))
        key.setEchoMode(QLineEdit.EchoMode.Password)
        model.setPlaceholderText(tr("Model"))
        model.setText(destination.model)
        save = button(
            self._context.theme,
            tr("Save"),
            lambda: self._save(destination, key, model),
            name=tr("Save key and model of {name}", name=destination.label),
        )
        hide_if(key, not destination.needs_key)
        line = row(gap=GRID)
        line.addWidget(key, 3)
        line.addWidget(model, 2)
        line.addWidget(save)
        box = QWidget()
        box.setLayout(line)
        box.hide()
        return box

    def forget(self) -> None:
        for field in self.findChildren(QLineEdit):
            field.clear()
        clear_layout(self._rows)

    def _save(self, destination: Destination, key: QLineEdit, model: QLineEdit) -> None:
        secret, wanted = key.text().strip(), model.text().strip()
        key.clear()
        self._context.tasks.start(self._saving(destination, secret, wanted), key="account")

    async def _saving(self, destination: Destination, secret: str, model: str) -> None:
        book = self._context.services.sharing.book
        if model != destination.model:
            book.set_model(destination.id, model)
        if secret:
            kept = await asyncio.get_running_loop().run_in_executor(None, book.keys.set, destination.id, secret)
            said = (
                tr("The key is in the keyring of this computer.")
                if kept
                else tr("No keyring can be trusted here: the key is kept until Eyelid ends.")
            )
            self._banners.good(said)
        self.refresh()

    def add_local(self) -> None:
        self._context.tasks.start(self._adding(), key="add destination")

    async def _adding(self) -> None:
        made = self._context.services.sharing.book.add_local(self.name.text(), self.url.text(), self.model.text().strip())
        for field in (self.url, self.model, self.name):
            field.clear()
        self._banners.good(tr("{name} was added.", name=made.label))
        self.refresh()

    def _remove(self, destination: Destination) -> None:
        self._context.tasks.start(self._removing(destination), key="remove destination")

    async def _removing(self, destination: Destination) -> None:
        if await ask(self, tr("Remove {name}?", name=destination.label), "", yes=tr("Remove"), no=tr("Keep")):
            self._context.services.sharing.book.remove(destination.id)
            self.refresh()


def _field(name: str) -> QLineEdit:
    made = QLineEdit()
    made.setAccessibleName(name)
    made.setPlaceholderText(name)
    made.setMaxLength(500)
    return made
