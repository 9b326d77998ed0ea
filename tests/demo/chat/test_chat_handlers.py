"""The handlers over a scripted engine: what a reader sees after each action."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from scripted_engine import ScriptedEngine

from demo.chat.handlers import ASLEEP, BUSY, ChatHandlers
from demo.chat.list_handlers import ChatListHandlers
from demo.chat.session import SHOWN_TURNS, Session, conversation
from demo.chat.settings import CONTROLS, default_values
from demo.store import ChatStore, Drawing, Picture
from demo.store.chats import owner_of
from minigpt5 import GenerationOptions, MiniGPT5Error

SETTINGS = default_values()
SECRET = "a" * 32


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def handlers(engine: ScriptedEngine) -> ChatHandlers:
    return ChatHandlers(engine, ChatStore())


@pytest.fixture
def past(handlers: ChatHandlers) -> ChatListHandlers:
    return ChatListHandlers(handlers)


@pytest.fixture
def session() -> Session:
    return Session(owner_of(SECRET))


def say(handlers: ChatHandlers, session: Session, text: str, *files: Path) -> tuple[Any, ...]:
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
    view, composer, notice, *_ = handlers.submit(session, {"text": " hello ", "files": []}, *SETTINGS)
    assert [message["role"] for message in view] == ["user", "assistant"]
    assert composer["value"] == {"text": "", "files": []}
    assert (composer["submit_btn"], composer["stop_btn"], notice) == (False, True, "")
    views = list(handlers.answer(session))
    assert words(views[-1][0][-1]).startswith("You said: hello")
    _, composer, *_ = handlers.ready(session)
    assert (composer["submit_btn"], composer["stop_btn"]) == (True, False)
    assert "value" not in composer


def test_a_picture_reply_is_one_message_and_the_next_turn_sees_it(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    view, *_ = say(handlers, session, "draw a bear")
    assert [part["type"] for part in view[-1]["content"]] == ["text", "component", "text"]
    say(handlers, session, "and now?")
    seen = engine.seen[-1].messages
    assert [message.role for message in seen] == ["user", "assistant", "user"]
    assert len(seen[1].images) == 1


def test_words_are_merged_into_few_views(session: Session) -> None:
    now = iter(range(10**6))
    handlers = ChatHandlers(ScriptedEngine(), ChatStore(), clock=lambda: next(now) / 100)
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    views = list(handlers.answer(session))
    assert 600 / 12 < len(views) < 600 / 5
    assert words(views[-1][0][-1]).count("once") == 300


def test_stop_closes_the_engine_at_its_next_step(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    answer = handlers.answer(session)
    next(answer)
    _, composer, *_ = handlers.stop(session)
    last = list(answer)
    assert engine.closed == 1
    assert len(last) == 1
    assert composer["submit_btn"] is True
    assert session.active is None


def test_stop_while_waiting_in_the_queue_never_starts_the_engine(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    view, *_ = handlers.stop(session)
    assert "Stopped" in words(view[-1])
    assert list(handlers.answer(session)) == []
    assert engine.seen == []


def test_a_closed_tab_ends_the_engine_and_frees_the_chat(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    answer = handlers.answer(session)
    next(answer)
    next(answer)
    answer.close()  # type: ignore[attr-defined]
    assert engine.closed == 1
    assert session.active is None


def test_a_second_message_while_answering_is_refused_and_kept(
    handlers: ChatHandlers, session: Session
) -> None:
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    view, composer, notice, *_ = handlers.submit(session, {"text": "me too", "files": []}, *SETTINGS)
    assert notice == BUSY
    assert "value" not in composer
    assert len(view) == 2
    first, second = handlers.answer(session), handlers.answer(session)
    next(first)
    assert list(second) == []
    assert handlers.ready(session)[2] == BUSY


def roles(session: Session) -> list[str]:
    return [node.role for node in session.tree.path()]


def label(view: list[dict[str, Any]]) -> str:
    return str(view[-1]["content"][1]["props"]["label"])


def retried(handlers: ChatHandlers, session: Session, node_id: str, settings: list[object]) -> Any:
    handlers.retry(session, node_id, *settings)
    *_, (view, _) = handlers.answer(session)
    return view


def test_retry_answers_the_same_message_with_a_new_seed_and_keeps_the_answer_before(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    first, *_ = say(handlers, session, "draw a bear")
    before = str(session.tree.leaf)
    second = retried(handlers, session, before, SETTINGS)
    assert len(second) == 2
    assert label(second) != label(first)
    assert engine.seen[0].messages == engine.seen[1].messages
    assert session.tree.versions(before) == [before, session.tree.leaf]
    view, *_ = handlers.flip(session, before)
    assert label(view) == label(first)


def test_retry_with_a_fixed_seed_uses_it_again(handlers: ChatHandlers, session: Session) -> None:
    settings = with_setting("seed", "42")
    handlers.submit(session, {"text": "draw", "files": []}, *settings)
    *_, (first, _) = handlers.answer(session)
    second = retried(handlers, session, str(session.tree.leaf), settings)
    assert [label(view) for view in (first, second)] == ["seed 42 · guidance 3.0"] * 2


def test_an_earlier_answer_is_retried_without_what_came_after(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    say(handlers, session, "one")
    answer = str(session.tree.leaf)
    say(handlers, session, "two")
    retried(handlers, session, answer, SETTINGS)
    assert [message.text for message in engine.seen[-1].messages] == ["one"]
    assert len(handlers.flip(session, answer)[0]) == 4


def test_editing_an_earlier_message_makes_a_branch_and_nothing_is_lost(
    handlers: ChatHandlers, session: Session, tmp_path: Path, engine: ScriptedEngine
) -> None:
    path = tmp_path / "mine.png"
    Image.new("RGB", (9, 9)).save(path)
    say(handlers, session, "who is this?", path)
    say(handlers, session, "and then?")
    first, last = session.tree.path()[0].id, session.tree.leaf
    _, composer, *_ = handlers.edit(session, first)
    assert composer["value"]["text"] == "who is this?"
    (file,) = composer["value"]["files"]
    assert session.editing == first
    view, *_ = say(handlers, session, "who is that?", file)
    assert len(view) == 2
    assert session.editing is None
    assert [len(message.images) for message in engine.seen[-1].messages] == [1]
    assert len(session.tree.versions(first)) == 2
    view, *_ = handlers.flip(session, first)
    assert len(view) == 4
    assert session.tree.leaf == last


def test_an_edit_can_be_left(handlers: ChatHandlers, session: Session) -> None:
    say(handlers, session, "one")
    handlers.edit(session, session.tree.path()[0].id)
    _, composer, *_ = handlers.cancel_edit(session)
    assert composer["value"] == {"text": "", "files": []}
    say(handlers, session, "two")
    assert roles(session) == ["user", "assistant"] * 2


@pytest.mark.parametrize("action", ["edit", "flip", "retry"])
def test_a_message_that_is_not_in_this_chat_does_nothing(
    handlers: ChatHandlers, session: Session, action: str
) -> None:
    view, *_ = say(handlers, session, "one")
    settings = SETTINGS if action == "retry" else []
    assert getattr(handlers, action)(session, "f" * 32, *settings)[0] == view
    assert session.active is None


def test_a_picture_is_found_by_its_part_and_its_chosen_drawing_is_what_the_model_sees(
    handlers: ChatHandlers, session: Session
) -> None:
    say(handlers, session, "draw a bear")
    answer = str(session.tree.leaf)
    picture = session.picture(answer, 1)
    white = handlers.files.save(Image.new("RGB", (5, 5), "white"))
    more = Picture(picture.vokens, (*picture.drawings, Drawing(white, 1, 5.0, 4, "ddim")), chosen=1)
    handlers.change_picture(session, answer, 1, more)
    assert label(handlers.messages(session)[-1:]) == "seed 1 · guidance 5.0"
    say(handlers, session, "and now?")
    heard = conversation(session.tree, session.tree.path()[2].id, handlers.files)
    assert heard.messages[1].images[0].size == (5, 5)
    with pytest.raises(MiniGPT5Error, match="not in this chat"):
        session.picture(answer, 0)
    stored = handlers.store.load(session.owner, str(session.chat))
    assert stored is not None
    assert stored.node(answer).parts[1] == more


@pytest.mark.parametrize(("content", "why"), [(b"", "empty"), (b"not a picture", "not a picture")])
def test_a_bad_file_is_refused_with_a_sentence_and_the_words_stay(
    handlers: ChatHandlers, session: Session, tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    view, composer, notice, *_ = handlers.submit(session, {"text": "hello", "files": [str(path)]}, *SETTINGS)
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
    _, _, notice, *_ = handlers.submit(session, {"text": "hi", "files": []}, *with_setting("seed", "soon"))
    assert "soon" in notice
    assert len(session.tree) == 0


def test_too_many_pictures_or_letters_are_refused(handlers: ChatHandlers, session: Session) -> None:
    assert "letters" in handlers.submit(session, {"text": "x" * 9000, "files": []}, *SETTINGS)[2]
    assert "pictures" in handlers.submit(session, {"text": "x", "files": ["a.png"] * 9}, *SETTINGS)[2]


def test_an_empty_message_does_nothing(handlers: ChatHandlers, session: Session) -> None:
    assert handlers.submit(session, {"text": "  ", "files": []}, *SETTINGS)[0] == []
    assert list(handlers.answer(session)) == []


def test_the_users_mistake_is_told_in_the_models_place(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine
) -> None:
    view, *_ = say(handlers, session, "refuse this")
    assert "does not fit" in words(view[-1])
    say(handlers, session, "again")
    assert [message.text for message in engine.seen[-1].messages] == ["again"]


def test_an_engine_that_breaks_leaves_the_chat_usable(
    handlers: ChatHandlers, session: Session, engine: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    view, composer, *_ = say(handlers, session, "fail")
    assert "It began well" in words(view[-1])
    assert "went wrong" in words(view[-1])
    assert composer["submit_btn"] is True
    assert "scripted failure" in caplog.text
    say(handlers, session, "again")
    assert len(engine.seen) == 2


def test_dropped_turns_and_a_cut_reply_are_told(handlers: ChatHandlers, session: Session) -> None:
    notice = say(handlers, session, "forget and cut")[2]
    assert "2 turns no longer fit" in notice
    assert "longest length" in notice


def opened(past: ChatListHandlers, secret: str, chat: str = "") -> tuple[Session, list[dict[str, Any]]]:
    session, view, *_ = past.restore(Session(), secret, chat)
    return session, view


def titles(handlers: ChatHandlers, session: Session) -> list[str]:
    return [chat.title for chat in handlers.store.find(session.owner, session.query)]


def test_a_tab_finds_its_chat_after_a_reload_and_nobody_else_does(
    handlers: ChatHandlers, past: ChatListHandlers
) -> None:
    mine, _ = opened(past, SECRET)
    say(handlers, mine, "hello")
    again, view = opened(past, SECRET, str(mine.chat))
    assert len(view) == 2
    assert titles(handlers, again) == ["hello"]
    other, view = opened(past, "b" * 32, str(mine.chat))
    assert (view, other.chat, titles(handlers, other)) == ([], None, [])


@pytest.mark.parametrize("secret", ["", "short", "A" * 32, "a" * 33, None])
def test_a_secret_that_no_page_made_sees_nothing(
    handlers: ChatHandlers, past: ChatListHandlers, secret: str
) -> None:
    first, _ = opened(past, secret)
    say(handlers, first, "hello")
    second, view = opened(past, secret, str(first.chat))
    assert (view, titles(handlers, second)) == ([], [])


def test_a_session_that_nobody_opened_is_told_to_wait(handlers: ChatHandlers) -> None:
    assert handlers.submit(Session(), {"text": "hi", "files": []}, *SETTINGS)[2] == ASLEEP


def test_an_answer_is_stored_while_it_grows(engine: ScriptedEngine) -> None:
    now = iter(range(10**6))
    handlers = ChatHandlers(engine, ChatStore(), clock=lambda: next(now) / 10)
    session = Session(owner_of(SECRET))
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    answer = handlers.answer(session)
    for _ in range(40):
        next(answer)
    stored = handlers.store.load(session.owner, str(session.chat))
    assert stored is not None
    kept, shown = stored.path()[-1], session.live
    assert shown is not None
    assert kept.ending == ""
    assert 0 <= len(shown.node.text) - len(kept.text) <= 12 * len("once ")
    answer.close()  # type: ignore[attr-defined]


def test_chats_are_opened_renamed_searched_and_deleted(
    handlers: ChatHandlers, past: ChatListHandlers, session: Session
) -> None:
    say(handlers, session, "a brown bear")
    bear = str(session.chat)
    assert past.new(session)[0] == []
    say(handlers, session, "a green frog")
    assert titles(handlers, session) == ["a green frog", "a brown bear"]
    past.rename(session, {"id": bear, "title": "Kites"})
    past.search(session, "bear")
    assert titles(handlers, session) == ["Kites"]
    past.search(session, "")
    view, *_ = past.open(session, bear)
    assert words(view[0]) == "a brown bear"
    assert past.delete(session, bear)[0] == []
    assert session.chat is None
    assert titles(handlers, session) == ["a green frog"]


def test_a_long_chat_shows_its_end_and_more_of_it_on_demand(
    handlers: ChatHandlers, past: ChatListHandlers, session: Session
) -> None:
    for number in range(SHOWN_TURNS + 1):
        say(handlers, session, f"message {number}")
    view = handlers.messages(session)
    assert len(view) == 2 * SHOWN_TURNS
    assert words(view[0]) == "message 1"
    assert words(past.earlier(session)[0][0]) == "message 0"


def test_opening_another_chat_stops_the_answer_which_is_kept_where_it_belongs(
    handlers: ChatHandlers, past: ChatListHandlers, session: Session, engine: ScriptedEngine
) -> None:
    handlers.submit(session, {"text": "long", "files": []}, *SETTINGS)
    first = str(session.chat)
    answer = handlers.answer(session)
    next(answer)
    next(answer)
    past.new(session)
    assert [view for view, _ in answer] == [[]]
    assert engine.closed == 1
    stored = handlers.store.load(session.owner, first)
    assert stored is not None
    assert stored.path()[-1].ending == "stopped"
    assert stored.path()[-1].text.startswith("once")


def test_who_waits_is_told_how_many_come_first(engine: ScriptedEngine) -> None:
    handlers = ChatHandlers(engine, ChatStore(), clock=lambda: 0.0)
    past = ChatListHandlers(handlers)
    sessions = [opened(past, letter * 32)[0] for letter in "abc"]
    for session in sessions:
        handlers.submit(session, {"text": "hi", "files": []}, *SETTINGS)

    async def told(session: Session) -> str:
        async for _ in handlers.wait(session):
            assert session.live is not None
            return session.live.status.text
        return ""

    assert [asyncio.run(told(session)) for session in sessions] == ["", "1 before you", "2 before you"]
    list(handlers.answer(sessions[0]))
    assert [asyncio.run(told(session)) for session in sessions[1:]] == ["", "1 before you"]


def test_the_settings_reach_the_engine_as_options(handlers: ChatHandlers, session: Session) -> None:
    handlers.submit(session, {"text": "hi", "files": []}, *with_setting("guidance_scale", 7.5))
    asked = session.tree.path()[0]
    assert GenerationOptions(**asked.options) == GenerationOptions(guidance_scale=7.5)  # type: ignore[arg-type]
