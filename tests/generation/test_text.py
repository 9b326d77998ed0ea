"""Sampled ids become text without a broken character or a letter of the stop string."""

import pytest
from transformers import PreTrainedTokenizerFast

from minigpt5.generation.text import TextStretch


def pushed(text: str, tokenizer: PreTrainedTokenizerFast) -> tuple[list[str], TextStretch]:
    stretch = TextStretch(tokenizer)
    shown = []
    for token_id in tokenizer.encode(text, add_special_tokens=False):
        shown.append(stretch.push(token_id))
        if stretch.stopped:
            break
    return shown, stretch


@pytest.mark.parametrize(
    "text", ["The rabbit walks.", "é中😀 hi 🐇", "a # b #c", "two\nlines", "C# is", "x  y"]
)
def test_the_pieces_add_up_to_the_text(text: str, tokenizer: PreTrainedTokenizerFast) -> None:
    shown, stretch = pushed(text, tokenizer)
    assert "".join(shown) + stretch.rest() == text
    assert not stretch.stopped


def test_a_character_of_several_bytes_comes_whole(tokenizer: PreTrainedTokenizerFast) -> None:
    shown, _ = pushed("é中😀", tokenizer)
    assert [piece for piece in shown if piece] == ["é", "中", "😀"]


@pytest.mark.parametrize("text", ["Here it is. ###", "Here it is.###Human: more", "Here it is. \n ###"])
def test_the_stop_string_ends_the_text_and_is_not_shown(
    text: str, tokenizer: PreTrainedTokenizerFast
) -> None:
    shown, stretch = pushed(text, tokenizer)
    assert "".join(shown) + stretch.rest() == "Here it is."
    assert stretch.stopped


def test_text_is_held_back_only_while_a_stop_may_be_forming(tokenizer: PreTrainedTokenizerFast) -> None:
    stretch = TextStretch(tokenizer)
    piece, hash_, letter = (tokenizer.convert_tokens_to_ids(token) for token in ("▁a", "#", "b"))
    assert [stretch.push(token) for token in (piece, hash_, letter)] == ["a", "", "#b"]


def test_the_tokens_of_a_stop_are_counted(tokenizer: PreTrainedTokenizerFast) -> None:
    stretch = TextStretch(tokenizer)
    words = tokenizer.encode("Here", add_special_tokens=False)
    for token_id in [*words, *[tokenizer.convert_tokens_to_ids("#")] * 3]:
        stretch.push(token_id)
    assert stretch.stopped
    assert stretch.tokens_of_stop() == 3
