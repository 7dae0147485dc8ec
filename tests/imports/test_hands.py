"""Hands: processes that pack files with the same result, hold nothing worth having, and whose end costs a line at most."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing import Pipe
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import EyelidError
from app.imports import crew as crew_module
from app.imports.crew import Crew, Hand, HandGone, Nursery
from app.imports.desk import ImportDesk
from app.imports.importer import Importer
from app.imports.memory import ImportMemory
from app.imports.packing import Order, Packed, pack
from app.imports.pipe import Message, PipeBroken, Refused, digest_of, packed_message, packed_of, receive, send
from app.imports.run import WORTH_HANDS
from app.imports.sources import find, opened
from app.imports.types import Fate, Source
from app.media.types import Thumb
from app.vault.errors import VaultLocked
from app.vault.types import ItemKind, NewItem, Origin, Recognised
from app.vault.vault import Vault

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="open files can't be handed over there")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def crew() -> Iterator[Crew]:
    made = Crew(1)
    made.begin()
    yield made
    made.end()


@pytest.fixture
def importer(vault: Vault, tmp_path: Path, crew: Crew) -> Iterator[Importer]:
    memory = ImportMemory(tmp_path / "memory.sqlite", vault.id)
    yield Importer(vault, memory, (160, 320), crew)
    memory.close()


def sources(folder: Path) -> list[Source]:
    return [each for each in find([folder]) if isinstance(each, Source)]


def test_a_hand_says_of_each_file_what_this_process_would(
    vault: Vault, crew: Crew, folder: Path, recognition: ModuleType, pictures: list[bytes]
) -> None:
    recognition.answers(folder / "set")
    (folder / "cut.jpg").write_bytes(pictures[0][:-9])
    (folder / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    seen = set()
    for source in sources(folder):
        answers = []
        order = Order(source.path.name, source.folders, source.size, source.modified_ns, "ab" * 16, False, (160, 320), vault.recipient())
        for packs in (pack, crew.pack):
            with opened(source) as file, vault.arriving() as arrival:
                try:
                    answers.append(packs(file, order, lambda _, draft=arrival.draft: draft))
                    sealed = vault.keep(arrival, answers[-1].new, source.size, "")
                    assert vault.read(sealed.id) == source.path.read_bytes()
                except (EyelidError, OSError) as error:
                    answers.append(str(error))
        assert answers[0] == answers[1]
        seen.add(type(answers[0]))
    assert seen == {Packed, str}


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> list[Hand]:
    """All that crews begin."""
    begun = list[Hand]()

    class Noted(Hand):
        def __init__(self, nursery: Nursery) -> None:
            super().__init__(nursery)
            begun.append(self)

    monkeypatch.setattr(crew_module, "Hand", Noted)
    return begun


async def test_a_folder_worth_it_comes_in_by_hands_that_end_with_it(
    desk: ImportDesk, vault: Vault, folder: Path, pictures: list[bytes], hands: list[Hand]
) -> None:
    assert len(pictures) >= WORTH_HANDS
    for number, data in enumerate(pictures):
        (folder / f"{number}.jpg").write_bytes(data)
    (folder / "twin.jpg").write_bytes(pictures[0])
    report = await desk.run().files([folder])
    assert (report.count(Fate.TAKEN), report.count(Fate.KNOWN)) == (len(pictures), 1)
    assert sorted(vault.read(item) for item in vault.ids()) == sorted(pictures)
    assert hands
    for hand in hands:
        with pytest.raises(ProcessLookupError):
            os.kill(hand.pid, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel confines on Linux only")
def test_hands_are_confined_as_the_process_that_looks_is() -> None:
    nursery = Nursery()
    assert nursery.confined
    nursery.end()
    with pytest.raises(HandGone):
        Hand(nursery)


def test_hands_of_one_origin_draw_other_keys(vault: Vault, folder: Path, pictures: list[bytes]) -> None:
    """They are copies of one process; its generators of random numbers must not be."""
    (folder / "a.jpg").write_bytes(pictures[0])
    source, nursery, sealed = sources(folder)[0], Nursery(), list[bytes]()
    for _ in range(2):
        hand = Hand(nursery)
        order = Order("a.jpg", (), source.size, source.modified_ns, "", False, (160,), vault.recipient())
        with opened(source) as file, vault.arriving() as arrival:
            assert hand.pack(file, order, lambda _, draft=arrival.draft: draft) is not None
            sealed.append(os.pread(arrival.draft.file.fileno(), 1 << 20, 0))
        hand.end()
    nursery.end()
    lines = [each.split(b"\n", 3)[1:3] for each in sealed]
    assert all(one.startswith(b"-> X25519 ") for one, _ in lines)
    assert lines[0][0] != lines[1][0]
    assert lines[0][1] != lines[1][1]


def test_a_hand_that_is_killed_costs_nothing_the_first_time(
    importer: Importer, vault: Vault, crew: Crew, folder: Path, killing: Any
) -> None:
    killing(1)
    taken = importer.take(sources(folder)[0])
    assert taken.outcome.fate is Fate.TAKEN
    assert len(vault.ids()) == 1
    assert leftovers(vault) == []


def test_a_file_that_ends_two_hands_is_a_line_and_the_next_comes_in(importer: Importer, vault: Vault, folder: Path, killing: Any) -> None:
    killing(2)
    first, second = (importer.take(source) for source in sources(folder)[:2])
    assert first.outcome.fate is Fate.REFUSED
    assert "ended over it" in str(first.outcome.why)
    assert second.outcome.fate is Fate.TAKEN
    assert len(vault.ids()) == 1
    assert leftovers(vault) == []


def leftovers(vault: Vault) -> list[str]:
    return [path.name for path in vault.folder.rglob("*.tmp")]


@pytest.fixture
def killing(folder: Path, pictures: list[bytes], hands: list[Hand], monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Two files, and hands that are killed once they were told where to seal to, so many times."""
    for number in range(2):
        (folder / f"{number}.jpg").write_bytes(pictures[number])
    ask, left = crew_module.send, [0]

    def send_and_kill(way: Any, message: Message) -> None:
        if hands and way is hands[-1]._way and message.descriptor >= 0 and not message.fields and left[0]:
            left[0] -= 1
            os.kill(hands[-1].pid, signal.SIGKILL)
        ask(way, message)

    monkeypatch.setattr(crew_module, "send", send_and_kill)
    return lambda times: left.__setitem__(0, times)


def test_a_picture_that_a_hand_cannot_decode_is_decoded_as_ever(
    importer: Importer, vault: Vault, folder: Path, recognition: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.heic").write_bytes(recognition.HEIC)
    asked = list[bool]()

    def refused(_self: Hand, file: Any, order: Order, ask: Any) -> Packed:
        asked.append(ask("00" * 32) is not None)
        raise Refused("It can't be decoded here.")

    monkeypatch.setattr(Hand, "pack", refused)
    assert importer.take(sources(folder)[0]).outcome.fate is Fate.TAKEN
    assert asked == [True]
    assert len(vault.ids()) == 1


def test_a_vault_that_locks_meanwhile_is_said_and_the_hand_goes_on(
    importer: Importer, vault: Vault, folder: Path, pictures: list[bytes]
) -> None:
    (folder / "a.jpg").write_bytes(pictures[0])
    source = sources(folder)[0]
    vault.lock()
    with pytest.raises(VaultLocked):
        importer.take(source)
    assert vault.ids() == ()


def test_a_disk_that_is_full_is_the_file_s_own_line(importer: Importer, vault: Vault, folder: Path, pictures: list[bytes]) -> None:
    (folder / "a.jpg").write_bytes(pictures[0])

    def full(_: str) -> Any:
        raise OSError(28, "No space left on device")

    with opened(sources(folder)[0]) as file, pytest.raises(OSError, match="No space"):
        importer._crew.pack(file, Order("a.jpg", (), len(pictures[0]), 0, "", False, (), vault.recipient()), full)
    assert importer.take(sources(folder)[0]).outcome.fate is Fate.TAKEN


def test_nothing_secret_is_in_what_a_hand_is_told() -> None:
    """Neither its command line nor its environment nor an order has room for a key that opens anything."""
    assert set(Order.__slots__) == {"name", "folders", "size", "modified_ns", "group", "only_glasses", "sizes", "recipient"}


def test_it_ends_when_the_other_side_does() -> None:
    ours, theirs = Pipe()
    with theirs:
        process = subprocess.Popen([sys.executable, "-m", "app.imports.hand"], stdin=theirs.fileno(), cwd=ROOT)
    assert set(receive(ours).fields) == {"confined"}
    ours.close()
    assert process.wait() == 0


def test_where_no_process_can_be_had_the_file_comes_in_all_the_same(
    importer: Importer, folder: Path, pictures: list[bytes], monkeypatch: Any
) -> None:
    (folder / "a.jpg").write_bytes(pictures[0])
    monkeypatch.setattr(crew_module, "Hand", _never)
    assert importer.take(sources(folder)[0]).outcome.fate is Fate.TAKEN


def _never(_: Nursery) -> Hand:
    raise HandGone


def test_when_the_process_that_hands_come_from_is_killed_there_is_another(
    importer: Importer, vault: Vault, crew: Crew, folder: Path, killing: Any
) -> None:
    killing(1)  # so that another hand is wanted
    first, second = sources(folder)
    assert importer.take(first).outcome.fate is Fate.TAKEN
    nursery, hand = crew._nursery, crew._idle[0]
    assert nursery is not None
    nursery._process.kill()
    nursery._process.wait()
    hand.end()
    assert importer.take(second).outcome.fate is Fate.TAKEN
    assert crew._nursery not in (None, nursery)
    assert len(vault.ids()) == 2


NEW = Packed(
    NewItem(
        ItemKind.PHOTO,
        "image/jpeg",
        datetime(2026, 5, 12, tzinfo=UTC),
        Origin("ray-ban-meta", name="Ray-Ban Meta"),
        original_name="a.jpg",
        recognised=Recognised("strong", (("make", "Meta AI"),)),
    ),
    (Thumb(b"small", 0x123456), Thumb(b"larger")),
)
"""Something that a hand may say."""


def test_what_a_hand_says_comes_through() -> None:
    assert packed_of(packed_message(NEW)) == NEW


@given(st.dictionaries(st.sampled_from(["sealed", "new", "thumbs", "refused", "sha256"]), st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1 << 70) | st.text(max_size=600), lambda inner: st.lists(inner, max_size=4), max_leaves=6
)), st.binary(max_size=64))  # fmt: skip
def test_whatever_a_hand_says_is_a_message_or_none(fields: dict[str, Any], rest: bytes) -> None:
    for read in (digest_of, packed_of):
        try:
            read(Message(fields, rest))
        except (PipeBroken, Refused):
            continue
        assert read is digest_of


@given(st.data())
def test_a_true_answer_that_was_bent_is_true_or_none(data: st.DataObject) -> None:
    message = packed_message(NEW)
    bent = bytearray(json.dumps(message.fields).encode() + b"\n" + message.rest)
    bent[data.draw(st.integers(0, len(bent) - 1))] ^= data.draw(st.integers(1, 255))
    line, _, rest = bytes(bent).partition(b"\n")
    try:
        fields = json.loads(line)
        assert isinstance(packed_of(Message(fields if isinstance(fields, dict) else {}, rest)), Packed)
    except (ValueError, PipeBroken, Refused):
        pass


def test_a_message_too_long_breaks_the_way() -> None:
    ours, theirs = Pipe()
    with ours, theirs, pytest.raises(PipeBroken):
        send(ours, Message({}, bytes(1 << 20)))


def test_a_message_that_stops_in_the_middle_is_not_waited_for() -> None:
    ours, theirs = Pipe()
    with ours, theirs:
        os.write(theirs.fileno(), b"\0\0\0\x64\0{")
        with pytest.raises(PipeBroken):
            receive(ours, 0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="there are no hands elsewhere")
def test_a_hand_has_no_end_of_the_way_on_which_hands_are_ordered() -> None:
    """It could name any process as a hand, to be killed, and be handed what is for others."""
    nursery = Nursery()
    hand = Hand(nursery)
    nursery._process.kill()
    nursery._process.wait()
    assert nursery._way.poll(10), "nobody has the other end any more"
    hand.end()
    nursery.end()


def test_an_import_that_ends_while_a_file_waits_for_its_turn_leaves_no_process(vault: Vault, folder: Path, pictures: list[bytes]) -> None:
    (folder / "a.jpg").write_bytes(pictures[0])
    source, crew = sources(folder)[0], Crew(1)
    crew.begin()

    class Turn:
        def __enter__(self) -> None:
            crew.end()

        def __exit__(self, *_: object) -> None:
            pass

    crew._free = Turn()  # type: ignore[assignment]
    order = Order("a.jpg", (), source.size, source.modified_ns, "", False, (160,), vault.recipient())
    with opened(source) as file, vault.arriving() as arrival:
        assert crew.pack(file, order, lambda _: arrival.draft) is not None
    assert crew._nursery is None


def test_where_no_more_files_can_be_open_for_a_hand_the_file_comes_in_all_the_same(
    importer: Importer, folder: Path, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.jpg").write_bytes(pictures[0])

    def none_left() -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(crew_module, "Pipe", none_left)
    assert importer.take(sources(folder)[0]).outcome.fate is Fate.TAKEN


@pytest.mark.skipif(sys.platform != "linux", reason="there are no hands elsewhere")
def test_a_hand_that_went_with_its_origin_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    nursery = Nursery()
    hand = Hand(nursery)

    def gone(*_: int) -> None:
        raise ProcessLookupError

    with monkeypatch.context() as patch:
        patch.setattr(crew_module.os, "kill", gone)
        hand.end()
    nursery.end()
