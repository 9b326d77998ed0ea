"""Events become one answer, in order, and nothing but known events; what is stored of it looks the same."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from demo.chat.growing_reply import GrowingReply
from demo.chat.views.messages import escape_markdown, node_message
from demo.store import Node, Picture, PictureFiles, Sketch, Upload, Words
from demo.store.picture_folder import PictureFolder
from minigpt5 import ImageFinished, ImageProgress, ImageStarted, TextDelta, TurnFinished

VOKENS = np.zeros((8, 4), np.float32)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def files() -> PictureFiles:
    return PictureFiles()


@pytest.fixture
def reply(files: PictureFiles, clock: Clock) -> GrowingReply:
    return GrowingReply(Node("a", "u", "assistant", ()), files, clock)


def grey(side: int = 8) -> Image.Image:
    return Image.new("RGB", (side, side), (120, 120, 120))


def kinds(reply: GrowingReply) -> list[str]:
    return [part["type"] for part in reply.chat_message()["content"]]


def test_text_picture_text_is_one_message_of_three_parts(reply: GrowingReply, files: PictureFiles) -> None:
    for event in (
        TextDelta("Here "),
        TextDelta("it is."),
        ImageStarted(0, 64, 64, 4),
        ImageFinished(0, grey(), VOKENS, 42, 3.0, 20, "ddim"),
        TextDelta(" More?"),
        TurnFinished("stop", 42, (5, 2), 0),
    ):
        reply.show(event)
    parts = reply.chat_message()["content"]
    assert kinds(reply) == ["text", "component", "text"]
    assert parts[0]["text"] == "Here it is."
    assert parts[1]["props"]["label"] == "seed 42 · guidance 3.0"
    assert "Here it is." in parts[1]["props"]["alt_text"]
    node = reply.node
    assert [type(part) for part in node.parts] == [Words, Picture, Words]
    assert (node.ending, node.options["seed"], node.timings["tokens"]) == ("stop", 42, 2)
    assert reply.chat_message() == node_message(node, files)


def test_a_frame_of_the_right_shape_stands_there_before_the_first_preview(reply: GrowingReply) -> None:
    reply.show(ImageStarted(0, 96, 64, 4))
    part = reply.chat_message()["content"][0]
    svg = base64.b64decode(part["value"]["url"].split(",", 1)[1]).decode()
    assert 'width="96" height="64"' in svg
    assert part["props"]["label"] == "drawing 0/4"


def test_previews_are_small_pictures_in_the_page_and_at_most_six_a_second(
    reply: GrowingReply, clock: Clock
) -> None:
    reply.show(ImageStarted(0, 64, 64, 60))
    shown = set()
    for step in range(1, 61):
        clock.now += 1 / 60
        reply.show(ImageProgress(0, step, 60, Image.new("RGB", (8, 8), (step * 4, 0, 0))))
        shown.add(reply.chat_message()["content"][0]["value"]["url"])
    previews = [url for url in shown if url.startswith("data:image/webp")]
    assert 4 <= len(previews) <= 6
    assert Image.open(io.BytesIO(base64.b64decode(previews[0].split(",", 1)[1]))).size == (8, 8)


def test_the_finished_picture_is_a_png_in_the_served_folder_with_its_vokens_beside(
    reply: GrowingReply, files: PictureFiles
) -> None:
    reply.show(ImageStarted(0, 8, 8, 1))
    reply.show(ImageFinished(0, grey(), VOKENS, 1, 3.0, 20, "ddim"))
    (picture,) = reply.node.parts
    assert isinstance(picture, Picture)
    path = files.path(picture.drawings[0].file)
    assert path.parent == files.folder
    with Image.open(path) as image:
        assert image.format == "PNG"
    assert (files.vokens(picture.vokens) == VOKENS).all()
    assert reply.chat_message()["content"][0]["value"]["url"].endswith(path.name)


def test_a_stopped_picture_stays_as_its_last_preview(reply: GrowingReply) -> None:
    reply.show(TextDelta("Look."))
    reply.show(ImageStarted(0, 8, 8, 9))
    reply.show(ImageProgress(0, 3, 9, grey()))
    reply.close()
    assert reply.chat_message()["content"][1]["props"]["label"] == "stopped at 3/9"
    assert isinstance(reply.node.parts[1], Sketch)
    assert reply.node.ending == "stopped"


def test_an_empty_frame_goes_when_the_reply_is_stopped(reply: GrowingReply) -> None:
    reply.show(TextDelta("Look."))
    reply.show(ImageStarted(0, 8, 8, 9))
    reply.close()
    assert kinds(reply) == ["text"]


def test_a_reply_stopped_before_its_first_word_says_so(reply: GrowingReply) -> None:
    reply.close()
    assert "Stopped" in reply.chat_message()["content"][0]["text"]
    assert reply.node.parts == ()


def test_a_reply_without_a_word_says_so(reply: GrowingReply) -> None:
    reply.show(TurnFinished("stop", 1, (), 0))
    reply.close()
    assert "nothing to say" in reply.chat_message()["content"][0]["text"]


def test_the_users_pictures_and_words_are_shown_as_they_are(files: PictureFiles) -> None:
    node = Node("u", None, "user", (Upload(files.save(grey())), Words("*who?*")))
    picture, words = node_message(node, files)["content"]
    assert picture["props"]["alt_text"] == "Your picture 1"
    assert words["text"] == r"\*who?\*"


def test_who_waits_is_told_the_stage_and_the_time_left(reply: GrowingReply, clock: Clock) -> None:
    assert reply.status.text == "Waiting for a turn"
    reply.status.wait(2)
    assert reply.status.text == "2 before you"
    reply.status.read(3)
    assert reply.status.text == "Reading 3 pictures"
    reply.show(TextDelta("Look."))
    assert reply.status.text == "Writing"
    reply.show(ImageStarted(0, 8, 8, 20))
    clock.now += 9
    reply.show(ImageProgress(0, 9, 20, grey()))
    assert reply.status.text == "Drawing 9/20 · 11 s left"
    clock.now += 10
    reply.show(ImageProgress(0, 19, 20, grey()))
    assert reply.status.text == "Drawing 19/20"


def test_an_unknown_event_raises(reply: GrowingReply) -> None:
    with pytest.raises(AssertionError):
        reply.show("a string")  # type: ignore[arg-type]


def test_the_oldest_pictures_are_deleted_beyond_the_limit() -> None:
    folder = PictureFolder(max_files=2)
    paths = [folder.save(grey()) for _ in range(3)]
    assert [path.exists() for path in paths] == [False, True, True]


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("a blue rabbit.", "a blue rabbit."),
        ("<ImageHere> *x*", r"\<ImageHere\> \*x\*"),
        ("# one\n- two", "\\# one\n\\- two"),
        ("[IMG3] ###Human:", "[IMG3] ###Human:"),
        ("![](http://x/y.png)", r"\![\](http://x/y.png)"),
    ],
)
def test_typed_control_characters_are_shown_as_they_are(typed: str, written: str) -> None:
    assert escape_markdown(typed) == written
