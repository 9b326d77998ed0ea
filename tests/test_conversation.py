"""A conversation is a plain value."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minigpt5.conversation import Conversation, ImagePart, Message, TextPart
from minigpt5.errors import ImageError


def test_each_turn_makes_a_new_conversation_and_leaves_the_old_one(picture: Image.Image) -> None:
    first = Conversation().user("Hello")
    second = first.assistant("Hi!").user("What is this?", picture)
    assert [message.role for message in second.messages] == ["user", "assistant", "user"]
    assert len(first.messages) == 1
    assert Conversation().messages == ()


def test_words_and_pictures_of_a_message_are_read_apart_in_order(picture: Image.Image) -> None:
    message = Conversation().user(" one", picture, "two ", picture).messages[0]
    assert message.text == "one two"
    assert len(message.images) == 2


def test_a_path_is_opened_and_a_str_is_words(tmp_path: Path, picture: Image.Image) -> None:
    picture.save(tmp_path / "a.png")
    message = Conversation().user("a.png", tmp_path / "a.png").messages[0]
    assert message.text == "a.png"
    assert message.images[0].size == picture.size


def test_a_path_to_nothing_says_so() -> None:
    with pytest.raises(ImageError, match="no such file"):
        Conversation().user(Path("nowhere.png"))


def test_a_part_of_another_type_is_a_programmers_mistake() -> None:
    with pytest.raises(TypeError, match="got a part of type int"):
        Conversation().user(3)  # type: ignore[arg-type]


def test_a_message_of_the_model_may_carry_the_vokens_of_its_picture(picture: Image.Image) -> None:
    vokens = np.zeros((8, 4), dtype=np.float32)
    message = Message("assistant", (TextPart("Here."), ImagePart(picture, vokens)))
    assert Conversation().add(message).messages[0].parts[1] is message.parts[1]
