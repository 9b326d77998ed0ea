"""What is kept of what was read, and what goes first."""

import numpy as np
import torch
from PIL import Image

from minigpt5.conversation import Conversation, ImagePart
from minigpt5.model.slots import Stretch
from minigpt5.prompt import Prompt
from minigpt5.serving.prefixes import PrefixStore
from minigpt5.serving.prompt_positions import content_key, lay_out, shared, with_keys

PLACEHOLDER, QUERIES = 9, 3


def stretch(length: int) -> Stretch:
    return Stretch(torch.zeros(1, length, 1, 4), torch.zeros(1, length, 1, 4))  # 32 bytes a position


def keys(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_the_longest_common_beginning_is_found() -> None:
    store = PrefixStore(10_000)
    store.put(keys(1, 2, 3, 4), stretch(4))
    store.put(keys(1, 2, 7), stretch(3))
    found, length = store.longest(keys(1, 2, 3, 8))
    assert (found is not None and found.keys.shape[1], length) == (4, 3)
    assert store.longest(keys(5)) == (None, 0)


def test_the_least_recently_used_goes_first() -> None:
    store = PrefixStore(32 * 8)
    store.put(keys(1, 1, 1, 1), stretch(4))
    store.put(keys(2, 2, 2, 2), stretch(4))
    store.longest(keys(1, 1))
    store.put(keys(3, 3, 3, 3), stretch(4))
    assert [store.longest(keys(first))[1] for first in (1, 2, 3)] == [1, 0, 1]
    assert store.nbytes == 32 * 8


def test_what_goes_on_from_another_takes_its_place() -> None:
    store = PrefixStore(10_000)
    store.put(keys(1, 2), stretch(2))
    store.put(keys(1, 2, 3), stretch(3))
    store.put(keys(1, 2), stretch(2))
    assert (len(store), store.nbytes) == (1, 32 * 3)


def test_what_is_larger_than_all_is_not_kept() -> None:
    store = PrefixStore(32)
    store.put(keys(1, 2), stretch(2))
    assert (len(store), store.nbytes) == (0, 0)


def test_a_picture_is_its_content_at_every_position_it_takes(picture: Image.Image) -> None:
    other = picture.rotate(180)
    ids, parts = [1, PLACEHOLDER, 2, PLACEHOLDER, PLACEHOLDER], [picture, picture.copy(), other]
    laid = lay_out(Prompt(ids, tuple(map(ImagePart, parts)), 0), PLACEHOLDER, QUERIES, 32)
    first, again, third = (laid.keys[start : start + QUERIES].tolist() for start in laid.starts)
    assert laid.starts == (1, 5, 8)
    assert first == again == [first[0]] * QUERIES
    assert first[0] < 0 and third[0] != first[0]
    assert shared(laid.keys, laid.keys[:4]) == 4


def test_a_picture_whose_key_is_known_is_not_opened() -> None:
    part = ImagePart(object(), key="abc")
    (message,) = with_keys(Conversation().user(part)).messages
    assert message.images == (part,)
    assert content_key(part) == "abc"
