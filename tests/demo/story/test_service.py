"""What an author and a remote can do, over the real store, with an engine that plays a script."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from scripted_story import OTHER, OWNER, StoryEngine, make_service, make_story, wait

from demo.store import ChatStore
from demo.store.retention import DAY, Retention
from demo.story.open_stories import BUSY, OpenStory
from demo.story.remote import MAX_WRONG, TOO_MANY
from demo.story.repository import StoryRepository
from demo.story.service import StoryService
from demo.story.views import author_view, remote_view
from demo.story.writing.premise import StoryError

PLAN = {"premise": "a blue rabbit", "cast": "Pip the blue rabbit", "scenes": 3, "tone": "plain"}


@pytest.fixture
def service() -> StoryService:
    return make_service()


def told(service: StoryService, command: str = "run", **values: object) -> OpenStory:
    opened = service.open(OWNER, service.create(OWNER, PLAN | values))
    service.do(opened, command, {})
    wait(opened)
    assert opened.problem == ""
    return opened


def texts(opened: OpenStory) -> list[str]:
    return [scene.text for scene in opened.story.scenes]


def test_a_whole_story_is_written_and_kept(service: StoryService) -> None:
    opened = told(service)
    assert texts(opened) == [
        "A blue rabbit named Pip lived here.",
        "Pip waved 1 times.",
        "Pip waved 2 times.",
    ]
    assert all(scene.picture and scene.ending == "stop" for scene in opened.story.scenes)
    assert [info.title for info in service.list(OWNER)] == ["A blue rabbit"]
    assert service._repository.load(OWNER, opened.story.id) == opened.story


def test_scenes_are_written_one_by_one_with_what_the_author_asks_for(service: StoryService) -> None:
    opened = told(service, "write")
    service.do(opened, "write", {"ask": "Then it rains"})
    wait(opened)
    assert [scene.ask for scene in opened.story.scenes] == ["", "Then it rains"]
    asked = service._author._engine.seen[-1].messages[-1].text
    assert asked == "Then it rains"


def test_nobody_sees_the_story_of_another(service: StoryService) -> None:
    opened = told(service, "write")
    assert service.list(OTHER) == []
    for _ in ("open", "after a restart"):
        with pytest.raises(StoryError, match="not yours"):
            service.open(OTHER, opened.story.id)
        service._open_stories._open.clear()


def test_stopping_keeps_the_words_that_are_there() -> None:
    service = make_service(StoryEngine(hold=0.1))
    opened = service.open(OWNER, service.create(OWNER, PLAN))
    service.do(opened, "run", {})
    while opened.progress is None or opened.progress.state != "drawing":
        time.sleep(0.01)
    with pytest.raises(StoryError, match=BUSY):
        service.do(opened, "edit", {"place": 0, "text": "x"})
    service.do(opened, "stop", {})
    wait(opened)
    assert [(scene.text, scene.ending, scene.picture) for scene in opened.story.scenes] == [
        ("A blue rabbit named Pip lived here.", "stopped", None)
    ]


def test_an_edit_is_what_the_story_goes_on_from(service: StoryService) -> None:
    opened = told(service)
    service.do(opened, "edit", {"place": 0, "text": "Pip was a brave blue rabbit."})
    service.do(opened, "go-on", {"place": 0})
    wait(opened)
    assert texts(opened) == ["Pip was a brave blue rabbit.", "Pip waved 1 times.", "Pip waved 2 times."]
    said = [message.text for message in service._author._engine.seen[-2].messages]
    assert said[1] == "Pip was a brave blue rabbit."


def test_a_picture_is_drawn_again_of_its_own_vokens_and_every_drawing_stays(service: StoryService) -> None:
    opened = told(service, "write")
    before = opened.story.scenes[0]
    service.do(opened, "redraw", {"place": 0})
    wait(opened)
    after = opened.story.scenes[0]
    assert after.text == before.text and after.picture.vokens == before.picture.vokens
    assert len(after.picture.drawings) == 2 and after.picture.chosen == 1
    assert len(service._author._engine.redrawn) == 1
    service.do(opened, "choose", {"place": 0, "version": 0})
    assert opened.story.scenes[0].drawing == before.drawing


def test_a_scene_is_told_anew_or_drawn_from_its_words(service: StoryService) -> None:
    opened = told(service)
    scenes = opened.story.scenes
    service.do(opened, "retell", {"place": 1})
    wait(opened)
    assert opened.story.scenes[0] == scenes[0] and opened.story.scenes[2] == scenes[2]
    assert opened.story.scenes[1].id == scenes[1].id and opened.story.scenes[1] != scenes[1]
    service.do(opened, "illustrate", {"place": 2})
    wait(opened)
    assert "Pip waved 2 times." in service._author._engine.seen[-1].messages[-1].text


def test_every_change_can_be_undone(service: StoryService) -> None:
    opened = told(service)
    scenes = opened.story.scenes
    service.do(opened, "move", {"place": 0, "to": 2})
    assert texts(opened)[2] == scenes[0].text
    service.do(opened, "remove", {"place": 0})
    service.do(opened, "edit", {"place": 0, "text": "x"})
    for _ in range(3):
        service.do(opened, "undo", {})
    assert opened.story.scenes == scenes
    with pytest.raises(StoryError, match="nothing to undo"):
        service.do(opened, "undo", {})


@pytest.mark.parametrize(
    ("command", "values", "why"),
    [
        ("redraw", {"place": 9}, "no scene 9"),
        ("move", {"place": 0, "to": 5}, "no scene 5"),
        ("choose", {"place": 0, "version": 3}, "no version 3"),
        ("edit", {"place": 0, "text": 5}, "expected text"),
        ("fly", {}, "something that can be done"),
        ("show", {"slide": "x"}, "whole number"),
    ],
)
def test_what_cannot_be_done_is_said(service: StoryService, command: str, values: dict, why: str) -> None:
    opened = told(service, "write")
    try:
        service.do(opened, command, values)
        wait(opened)
    except StoryError as error:
        opened.problem = str(error)
    assert why in opened.problem


def test_a_story_survives_the_end_of_the_process(tmp_path: Path) -> None:
    service = make_service(StoryEngine(hold=0.2), ChatStore.in_folder(tmp_path))
    opened = service.open(OWNER, service.create(OWNER, PLAN))
    service.do(opened, "run", {})
    while opened.progress is None or opened.progress.state != "drawing":
        time.sleep(0.01)
    store = ChatStore.in_folder(
        tmp_path
    )  # as another process would open it, while the first is in mid-picture
    later = make_service(store=store).open(OWNER, opened.story.id)
    service.do(opened, "stop", {})
    wait(opened)
    assert [(scene.text, scene.ending) for scene in later.story.scenes] == [
        ("A blue rabbit named Pip lived here.", "stopped")
    ]


def test_deleting_really_deletes_and_sweeping_spares_stories() -> None:
    store = ChatStore()
    service = make_service(store=store)
    opened = told(service, "write")
    store.sweep()
    assert len(store.files.names()) == 2  # a picture and its vokens
    service.do(opened, "delete", {})
    assert service.list(OWNER) == [] and store.files.names() == set()


def test_stories_beyond_the_limits_are_deleted_the_oldest_first() -> None:
    store = ChatStore(retention=Retention(keep_days=1))
    repository = StoryRepository(store)
    repository.add(OWNER, make_story(store.files))
    yesterday = StoryRepository(store, clock=lambda: time.time() - 2 * DAY)
    yesterday.add(OWNER, make_story(store.files))
    assert len(repository.list(OWNER)) == 2
    repository.tidy()
    assert len(repository.list(OWNER)) == 1


def test_files_that_can_no_longer_be_brought_back_are_deleted(service: StoryService) -> None:
    opened = told(service, "write")
    opened.change(replace(opened.story, scenes=(), past=()))
    assert service.files.names() == set()


def test_a_story_goes_out_and_comes_in_again(service: StoryService) -> None:
    opened = told(service)
    name, media_type, content = service.export(opened, "zip")
    assert (name, media_type) == ("a-blue-rabbit.zip", "application/zip")
    there = service.open(OTHER, service.take_in(OTHER, content))
    assert texts(there) == texts(opened)
    service.do(there, "redraw", {"place": 1})
    wait(there)
    assert there.problem == "" and len(there.story.scenes[1].picture.drawings) == 2


def test_a_remote_turns_pages_and_asks_for_scenes_and_nothing_else(service: StoryService) -> None:
    opened = told(service)
    code = service.do(opened, "stage", {"address": "http://127.0.0.1/"})["code"]
    assert service.do(opened, "stage", {})["code"] == code
    stage = service.on_stage(code.lower(), "192.0.2.1")
    service.remote_do(stage, "show", {"slide": 99})
    assert opened.slide == 3
    service.remote_do(stage, "next-scene", {"ask": "It snows"})
    wait(opened)
    assert len(opened.story.scenes) == 4 and opened.slide == 4
    for command in ("edit", "delete", "undo", "rename", "write", "redraw"):
        with pytest.raises(StoryError, match="something that can be done"):
            service.remote_do(stage, command, {"place": 0, "text": "x", "title": "x"})
    assert set(remote_view(opened)) == {"title", "scenes", "slide", "problem", "work"}
    service.do(opened, "leave-stage", {})
    with pytest.raises(StoryError, match="no stage with this code"):
        service.on_stage(code, "192.0.2.1")


def test_codes_cannot_be_tried_out(service: StoryService) -> None:
    for _ in range(MAX_WRONG):
        with pytest.raises(StoryError, match="no stage"):
            service.on_stage("AAAAAA", "192.0.2.1")
    with pytest.raises(StoryError, match=TOO_MANY):
        service.on_stage("BBBBBB", "192.0.2.1")


def test_what_the_page_sees_is_all_json(service: StoryService) -> None:
    story = make_story(service.files)
    service._repository.add(OWNER, story)
    view = author_view(service.open(OWNER, story.id), service.files)
    assert view["scenes"][0]["picture"]["versions"] == 2 and view["can_undo"] is True
    assert view["scenes"][1]["picture"] is None and view["work"] is None
    assert view["scenes"][0]["picture"]["url"].startswith("gradio_api/file=")
