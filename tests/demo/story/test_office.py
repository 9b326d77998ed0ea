"""What an author and a remote can do, over the real store and desk, with an engine that plays a script."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from scripted_story import OTHER, OWNER, StoryEngine, make_office, make_story, wait

from demo.store import ChatStore
from demo.store.retention import DAY, Retention
from demo.story.desk import BUSY, Live
from demo.story.office import Office
from demo.story.premise import StoryError
from demo.story.remote import MAX_WRONG, TOO_MANY
from demo.story.shelf import StoryShelf
from demo.story.shown import author_view, remote_view

PLAN = {"premise": "a blue rabbit", "cast": "Pip the blue rabbit", "scenes": 3, "tone": "plain"}


@pytest.fixture
def office() -> Office:
    return make_office()


def told(office: Office, deed: str = "run", **values: object) -> Live:
    live = office.open(OWNER, office.create(OWNER, PLAN | values))
    office.do(live, deed, {})
    wait(live)
    assert live.problem == ""
    return live


def texts(live: Live) -> list[str]:
    return [scene.text for scene in live.story.scenes]


def test_a_whole_story_is_written_and_kept(office: Office) -> None:
    live = told(office)
    assert texts(live) == ["A blue rabbit named Pip lived here.", "Pip waved 1 times.", "Pip waved 2 times."]
    assert all(scene.picture and scene.ending == "stop" for scene in live.story.scenes)
    assert [info.title for info in office.list(OWNER)] == ["A blue rabbit"]
    assert office._shelf.load(OWNER, live.story.id) == live.story


def test_scenes_are_written_one_by_one_with_what_the_author_asks_for(office: Office) -> None:
    live = told(office, "write")
    office.do(live, "write", {"ask": "Then it rains"})
    wait(live)
    assert [scene.ask for scene in live.story.scenes] == ["", "Then it rains"]
    asked = office._author._engine.seen[-1].messages[-1].text
    assert asked == "Then it rains"


def test_nobody_sees_the_story_of_another(office: Office) -> None:
    live = told(office, "write")
    assert office.list(OTHER) == []
    for _ in ("open", "after a restart"):
        with pytest.raises(StoryError, match="not yours"):
            office.open(OTHER, live.story.id)
        office._desk._open.clear()


def test_stopping_keeps_the_words_that_are_there() -> None:
    office = make_office(StoryEngine(hold=0.1))
    live = office.open(OWNER, office.create(OWNER, PLAN))
    office.do(live, "run", {})
    while live.work is None or live.work.state != "drawing":
        time.sleep(0.01)
    with pytest.raises(StoryError, match=BUSY):
        office.do(live, "edit", {"place": 0, "text": "x"})
    office.do(live, "stop", {})
    wait(live)
    assert [(scene.text, scene.ending, scene.picture) for scene in live.story.scenes] == [
        ("A blue rabbit named Pip lived here.", "stopped", None)
    ]


def test_an_edit_is_what_the_story_goes_on_from(office: Office) -> None:
    live = told(office)
    office.do(live, "edit", {"place": 0, "text": "Pip was a brave blue rabbit."})
    office.do(live, "go-on", {"place": 0})
    wait(live)
    assert texts(live) == ["Pip was a brave blue rabbit.", "Pip waved 1 times.", "Pip waved 2 times."]
    said = [message.text for message in office._author._engine.seen[-2].messages]
    assert said[1] == "Pip was a brave blue rabbit."


def test_a_picture_is_drawn_again_of_its_own_vokens_and_every_drawing_stays(office: Office) -> None:
    live = told(office, "write")
    before = live.story.scenes[0]
    office.do(live, "redraw", {"place": 0})
    wait(live)
    after = live.story.scenes[0]
    assert after.text == before.text and after.picture.vokens == before.picture.vokens
    assert len(after.picture.drawings) == 2 and after.picture.chosen == 1
    assert len(office._author._engine.redrawn) == 1
    office.do(live, "choose", {"place": 0, "version": 0})
    assert live.story.scenes[0].drawing == before.drawing


def test_a_scene_is_told_anew_or_drawn_from_its_words(office: Office) -> None:
    live = told(office)
    scenes = live.story.scenes
    office.do(live, "retell", {"place": 1})
    wait(live)
    assert live.story.scenes[0] == scenes[0] and live.story.scenes[2] == scenes[2]
    assert live.story.scenes[1].id == scenes[1].id and live.story.scenes[1] != scenes[1]
    office.do(live, "illustrate", {"place": 2})
    wait(live)
    assert "Pip waved 2 times." in office._author._engine.seen[-1].messages[-1].text


def test_every_change_can_be_undone(office: Office) -> None:
    live = told(office)
    scenes = live.story.scenes
    office.do(live, "move", {"place": 0, "to": 2})
    assert texts(live)[2] == scenes[0].text
    office.do(live, "remove", {"place": 0})
    office.do(live, "edit", {"place": 0, "text": "x"})
    for _ in range(3):
        office.do(live, "undo", {})
    assert live.story.scenes == scenes
    with pytest.raises(StoryError, match="nothing to undo"):
        office.do(live, "undo", {})


@pytest.mark.parametrize(
    ("deed", "values", "why"),
    [
        ("redraw", {"place": 9}, "no scene 9"),
        ("move", {"place": 0, "to": 5}, "no scene 5"),
        ("choose", {"place": 0, "version": 3}, "no version 3"),
        ("edit", {"place": 0, "text": 5}, "expected text"),
        ("fly", {}, "something that can be done"),
        ("show", {"slide": "x"}, "whole number"),
    ],
)
def test_what_cannot_be_done_is_said(office: Office, deed: str, values: dict, why: str) -> None:
    live = told(office, "write")
    try:
        office.do(live, deed, values)
        wait(live)
    except StoryError as error:
        live.problem = str(error)
    assert why in live.problem


def test_a_story_survives_the_end_of_the_process(tmp_path: Path) -> None:
    office = make_office(StoryEngine(hold=0.2), ChatStore.in_folder(tmp_path))
    live = office.open(OWNER, office.create(OWNER, PLAN))
    office.do(live, "run", {})
    while live.work is None or live.work.state != "drawing":
        time.sleep(0.01)
    store = ChatStore.in_folder(
        tmp_path
    )  # as another process would open it, while the first is in mid-picture
    later = make_office(store=store).open(OWNER, live.story.id)
    office.do(live, "stop", {})
    wait(live)
    assert [(scene.text, scene.ending) for scene in later.story.scenes] == [
        ("A blue rabbit named Pip lived here.", "stopped")
    ]


def test_deleting_really_deletes_and_sweeping_spares_stories() -> None:
    store = ChatStore()
    office = make_office(store=store)
    live = told(office, "write")
    store.sweep()
    assert len(store.files.names()) == 2  # a picture and its vokens
    office.do(live, "delete", {})
    assert office.list(OWNER) == [] and store.files.names() == set()


def test_stories_beyond_the_limits_are_deleted_the_oldest_first() -> None:
    store = ChatStore(retention=Retention(keep_days=1))
    shelf = StoryShelf(store)
    shelf.add(OWNER, make_story(store.files))
    yesterday = StoryShelf(store, clock=lambda: time.time() - 2 * DAY)
    yesterday.add(OWNER, make_story(store.files))
    assert len(shelf.list(OWNER)) == 2
    shelf.tidy()
    assert len(shelf.list(OWNER)) == 1


def test_files_that_can_no_longer_be_brought_back_are_deleted(office: Office) -> None:
    live = told(office, "write")
    live.change(replace(live.story, scenes=(), past=()))
    assert office.files.names() == set()


def test_a_story_goes_out_and_comes_in_again(office: Office) -> None:
    live = told(office)
    name, media_type, content = office.export(live, "zip")
    assert (name, media_type) == ("a-blue-rabbit.zip", "application/zip")
    there = office.open(OTHER, office.take_in(OTHER, content))
    assert texts(there) == texts(live)
    office.do(there, "redraw", {"place": 1})
    wait(there)
    assert there.problem == "" and len(there.story.scenes[1].picture.drawings) == 2


def test_a_remote_turns_pages_and_asks_for_scenes_and_nothing_else(office: Office) -> None:
    live = told(office)
    code = office.do(live, "stage", {"address": "http://127.0.0.1/"})["code"]
    assert office.do(live, "stage", {})["code"] == code
    stage = office.on_stage(code.lower(), "192.0.2.1")
    office.remote_do(stage, "show", {"slide": 99})
    assert live.slide == 3
    office.remote_do(stage, "next-scene", {"ask": "It snows"})
    wait(live)
    assert len(live.story.scenes) == 4 and live.slide == 4
    for deed in ("edit", "delete", "undo", "rename", "write", "redraw"):
        with pytest.raises(StoryError, match="something that can be done"):
            office.remote_do(stage, deed, {"place": 0, "text": "x", "title": "x"})
    assert set(remote_view(live)) == {"title", "scenes", "slide", "problem", "work"}
    office.do(live, "leave-stage", {})
    with pytest.raises(StoryError, match="no stage with this code"):
        office.on_stage(code, "192.0.2.1")


def test_codes_cannot_be_tried_out(office: Office) -> None:
    for _ in range(MAX_WRONG):
        with pytest.raises(StoryError, match="no stage"):
            office.on_stage("AAAAAA", "192.0.2.1")
    with pytest.raises(StoryError, match=TOO_MANY):
        office.on_stage("BBBBBB", "192.0.2.1")


def test_what_the_page_sees_is_all_json(office: Office) -> None:
    story = make_story(office.files)
    office._shelf.add(OWNER, story)
    view = author_view(office.open(OWNER, story.id), office.files)
    assert view["scenes"][0]["picture"]["versions"] == 2 and view["can_undo"] is True
    assert view["scenes"][1]["picture"] is None and view["work"] is None
    assert view["scenes"][0]["picture"]["url"].startswith("gradio_api/file=")
