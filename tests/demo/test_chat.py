"""The handlers over a scripted engine: what a reader sees after each deed."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from scripted_engine import ScriptedEngine

from demo.chat import BUSY, ChatHandlers
from demo.pictures import PictureFolder
from demo.sessions import Session, Sessions
from demo.settings import CONTROLS, default_values
from minigpt5 import GenerationOptions

SETTINGS = default_values()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def handlers(engine: ScriptedEngine) -> ChatHandlers:
    return ChatHandlers(engine, PictureFolder())


@pytest.fixture
def session() -> Session:
    return Session()


def say(handlers: ChatHandlers, session: Session, text: str, *files: Path) -> tuple[Any, Any, str]:
    """Type, send, and wait for the whole answer."""
    refused = handlers.submit(session, {"text": text, "files": [str(file) for file in files]}, *SETTINGS)
    for _ in handlers.answer(session):
        pass
    return handlers.ready(session) if not refused[2] else refused


def words(message: dict[str, Any]) -> str:
    return " ".join(part["text"] for part in message["content"] if part["type"] == "text")


def with_setting(name: str, value: object) -> list[object]:
    return [
        value if control == name else default for control, default in zip(CONTROLS, SETTINGS, strict=True)
    ]


def test_a_message_clears_the_composer_and_is_answered(handlers: ChatHandlers, session: Session) -> None:
    view, composer, notice = handlers.submit(session, {"text": " hello ", "files": []}, *SETTINGS)
    assert [message["role"] for message in view] == ["user", "assistant"]
    assert composer["value"] == {"text": "", "files": []}
    assert (composer["submit_btn"], composer["stop_btn"], notice) == (False, True, "")
    views = list(handlers.answer(session))
    assert words(views[-1][-1]).startswith("You said: hello")
    _, composer, _ = handlers.ready(session)
    assert (composer["submit_btn"], composer["stop_btn"]) == (True, False)
    assert "value" not in composer


def test_a_picture_reply_is_one_message_and_the_next_turn_sees_it(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    view, _, _ = say(handlers, session, "draw a bear")
    assert [part["type"] for part in view[-1]["content"]] == ["text", "component", "text"]
    say(handlers, session, "and now?")
    seen = engine.seen[-1].messages
    assert [message.role for message in seen] == ["user", "assistant", "user"]
    assert len(seen[1].images) == 1


def test_words_are_merged_into_few_views(session: Session) -> None:
    now = iter(range(10**6))
    handlers = ChatHandlers(ScriptedEngine(), PictureFolder(), clock=lambda: next(now) / 100)
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    views = list(handlers.answer(session))
    assert 600 / 12 < len(views) < 600 / 5
    assert words(views[-1][-1]).count("once") == 300


def test_stop_closes_the_engine_at_its_next_step(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    answer = handlers.answer(session)
    next(answer)
    _, composer, _ = handlers.stop(session)
    last = list(answer)
    assert engine.closed == 1
    assert len(last) == 1
    assert composer["submit_btn"] is True
    assert session.active is None


def test_stop_while_waiting_in_the_queue_never_starts_the_engine(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    view, _, _ = handlers.stop(session)
    assert "Stopped" in words(view[-1])
    assert list(handlers.answer(session)) == []
    assert engine.seen == []


def test_a_closed_tab_ends_the_engine_and_frees_the_chat(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    answer = handlers.answer(session)
    next(answer)
    answer.close()  # type: ignore[attr-defined]
    assert engine.closed == 1
    assert session.active is None


def test_a_second_message_while_answering_is_refused_and_kept(
    handlers: ChatHandlers, session: Session
) -> None:
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    view, composer, notice = handlers.submit(session, {"text": "me too", "files": []}, *SETTINGS)
    assert notice == BUSY
    assert "value" not in composer
    assert len(view) == 2
    first, second = handlers.answer(session), handlers.answer(session)
    next(first)
    assert list(second) == []
    assert handlers.ready(session)[2] == BUSY


def test_retry_answers_the_same_message_with_a_new_seed(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    first, _, _ = say(handlers, session, "draw a bear")
    old = session.turns[0].reply
    assert old is not None
    handlers.retry(session, *SETTINGS)
    *_, second = handlers.answer(session)
    assert len(second) == 2
    assert second[-1]["content"][1]["props"]["label"] != first[-1]["content"][1]["props"]["label"]
    assert not old.files[0].exists()
    assert engine.seen[0].messages == engine.seen[1].messages


def test_retry_with_a_fixed_seed_uses_it_again(handlers: ChatHandlers, session: Session) -> None:
    settings = with_setting("seed", "42")
    handlers.submit(session, {"text": "draw", "files": []}, *settings)
    *_, first = handlers.answer(session)
    handlers.retry(session, *settings)
    *_, second = handlers.answer(session)
    labels = [view[-1]["content"][1]["props"]["label"] for view in (first, second)]
    assert labels == ["seed 42 · guidance 3.0"] * 2


def test_undo_puts_words_and_pictures_back_into_the_composer(
    handlers: ChatHandlers, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "mine.png"
    Image.new("RGB", (9, 9)).save(path)
    say(handlers, session, "who is this?", path)
    view, composer, _ = handlers.undo(session)
    assert view == []
    assert composer["value"] == {"text": "who is this?", "files": [str(path)]}


def test_clear_deletes_the_pictures(handlers: ChatHandlers, session: Session) -> None:
    say(handlers, session, "draw")
    reply = session.turns[0].reply
    assert reply is not None
    assert handlers.clear(session)[0] == []
    assert not reply.files[0].exists()


@pytest.mark.parametrize(("content", "why"), [(b"", "empty"), (b"not a picture", "not a picture")])
def test_a_bad_file_is_refused_with_a_sentence_and_the_words_stay(
    handlers: ChatHandlers, session: Session, tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    view, composer, notice = handlers.submit(session, {"text": "hello", "files": [str(path)]}, *SETTINGS)
    assert why in notice
    assert notice.endswith(".")
    assert view == []
    assert "value" not in composer
    assert session.active is None
    assert list(handlers.answer(session)) == []
    assert handlers.ready(session)[2] == notice


def test_a_setting_that_cannot_be_is_refused_with_a_sentence(
    handlers: ChatHandlers, session: Session
) -> None:
    _, _, notice = handlers.submit(session, {"text": "hi", "files": []}, *with_setting("seed", "soon"))
    assert "soon" in notice
    assert session.turns == []


def test_too_many_pictures_or_letters_are_refused(handlers: ChatHandlers, session: Session) -> None:
    assert "letters" in handlers.submit(session, {"text": "x" * 9000, "files": []}, *SETTINGS)[2]
    assert "pictures" in handlers.submit(session, {"text": "x", "files": ["a.png"] * 9}, *SETTINGS)[2]


def test_an_empty_message_does_nothing(handlers: ChatHandlers, session: Session) -> None:
    assert handlers.submit(session, {"text": "  ", "files": []}, *SETTINGS)[0] == []
    assert list(handlers.answer(session)) == []


def test_the_users_mistake_is_told_in_the_models_place(handlers: ChatHandlers, session: Session) -> None:
    view, _, _ = say(handlers, session, "refuse this")
    assert "does not fit" in words(view[-1])
    assert session.turns[0].reply is not None
    assert session.turns[0].reply.message() is None


def test_an_engine_that_breaks_leaves_the_chat_usable(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    view, composer, _ = say(handlers, session, "fail")
    assert "It began well" in words(view[-1])
    assert "went wrong" in words(view[-1])
    assert composer["submit_btn"] is True
    assert "scripted failure" in caplog.text
    say(handlers, session, "again")
    assert len(engine.seen) == 2


def test_dropped_turns_and_a_cut_reply_are_told(handlers: ChatHandlers, session: Session) -> None:
    _, _, notice = say(handlers, session, "forget and cut")
    assert "2 turns no longer fit" in notice
    assert "longest length" in notice


def test_a_tab_finds_its_chat_after_a_reload_and_no_other(handlers: ChatHandlers) -> None:
    mine, _, _, _ = handlers.restore("a" * 32, Session())
    say(handlers, mine, "hello")
    again, view, _, _ = handlers.restore("a" * 32, Session())
    assert again is mine
    assert len(view) == 2
    other, view, _, _ = handlers.restore("b" * 32, Session())
    assert other is not mine
    assert view == []


@pytest.mark.parametrize("tab", ["", "short", "A" * 32, "a" * 33, None])
def test_an_id_that_no_page_made_belongs_to_nobody(tab: str) -> None:
    sessions = Sessions()
    first, second = Session(), Session()
    assert sessions.find(tab, first) is first
    assert sessions.find(tab, second) is second


def test_the_settings_reach_the_engine_as_options(handlers: ChatHandlers, session: Session) -> None:
    handlers.submit(session, {"text": "hi", "files": []}, *with_setting("guidance_scale", 7.5))
    assert session.turns[0].options == GenerationOptions(guidance_scale=7.5)
