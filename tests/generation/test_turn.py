"""A turn against the plain, uncached forward pass. Which tokens are sampled is scripted; the LLM is real."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from minigpt5.events import TextDelta, TurnFinished
from minigpt5.generation import turn as turn_module
from minigpt5.generation.reader import Reader
from minigpt5.generation.turn import (
    MAX_PICTURES,
    Draw,
    Prefill,
    Reading,
    ReadToken,
    ReadVokens,
    picture_seed,
    turn,
)
from minigpt5.generation.vocabulary import Vocabulary
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.options import GenerationOptions
from minigpt5.vokens import control_tokens, voken_names

PROMPT = [1, 300, 301, 302]


class Script:
    """Drives a turn with sampled tokens as told and remembers what was banned."""

    def __init__(
        self, model: MiniGPT5, tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.vocabulary = Vocabulary(tokenizer, len(tokenizer))
        self.img0, self.hash = self.vocabulary.vokens[0], tokenizer.convert_tokens_to_ids("#")
        self.banned: list[set[int]] = []
        self.logits: list[torch.Tensor] = []
        self.tokens: Iterator[int] = iter(())
        monkeypatch.setattr(turn_module, "choose", self._choose)

    def _choose(self, logits: torch.Tensor, *_: Any, banned: torch.Tensor, **__: Any) -> int:
        self.banned.append(set(banned.tolist()))
        self.logits.append(logits)
        return next(self.tokens)

    def run(self, tokens: Sequence[int], max_length: int = 256, **options: Any) -> list[Any]:
        """All that the turn yields, asks and events, but for the first ask."""
        self.tokens = iter(tokens)
        reader = Reader(self.model.language)
        with torch.inference_mode():
            reader.read(self.model.language.embed(torch.tensor([PROMPT])))
        settings = GenerationOptions(**options)
        work = turn(len(PROMPT), self.vocabulary, settings, seed=0, max_length=max_length)
        assert next(work) == Prefill()
        steps, answer = [], Reading(reader.next_logits())
        while (step := next(work, None) if answer is None else work.send(answer)) is not None:
            steps.append(step)
            answer = reader.answer(step) if isinstance(step, ReadToken | ReadVokens) else None
        return steps

    def hidden(self, ids: Sequence[int]) -> torch.Tensor:
        """States (T,D) of one pass over the prompt and `ids`."""
        with torch.inference_mode():
            embeds = self.model.language.embed(torch.tensor([[*PROMPT, *ids]]))
            return self.model.language(embeds)[0][0]

    def next_logits(self, ids: Sequence[int]) -> torch.Tensor:
        """Logits (vocabulary,) after the prompt and `ids`, from one pass over them."""
        hidden = self.hidden(ids)
        with torch.inference_mode():
            return self.model.language.logits(hidden)[-1]


def kinds(steps: Sequence[Any]) -> list[type]:
    """The types of what was yielded, without the words."""
    return [type(step) for step in steps if not isinstance(step, TextDelta)]


def words(steps: Sequence[Any]) -> str:
    return "".join(step.text for step in steps if isinstance(step, TextDelta))


@pytest.fixture
def script(model: MiniGPT5, tokenizer: PreTrainedTokenizerFast, monkeypatch: pytest.MonkeyPatch) -> Script:
    return Script(model, tokenizer, monkeypatch)


def test_voken_hidden_are_the_states_that_predict_the_vokens(script: Script) -> None:
    text, after = [310, 311, 312], [313, 314]
    steps = script.run([*text, script.img0, *after, script.img0, script.vocabulary.end])
    first, second = (step for step in steps if isinstance(step, Draw))
    vokens = script.vocabulary.vokens
    whole = script.hidden([*text, *vokens, *after, *vokens])
    before = len(PROMPT) + len(text) - 1
    assert torch.allclose(first.voken_hidden[0], whole[before : before + 8], atol=1e-5)
    before += 8 + len(after)
    assert torch.allclose(second.voken_hidden[0], whole[before : before + 8], atol=1e-5)


def test_the_token_after_a_picture_comes_from_the_last_voken(script: Script) -> None:
    script.run([310, script.img0, 311, script.vocabulary.end])
    assert torch.allclose(script.logits[2], script.next_logits([310, *script.vocabulary.vokens]), atol=1e-4)


def test_the_end_token_ends_and_the_last_step_tells_all_ids_one_for_a_picture(script: Script) -> None:
    sampled = (310, script.img0, 311, script.vocabulary.end)
    assert script.run(list(sampled))[-1] == TurnFinished("stop", 0, sampled, 0)


def test_a_stop_string_of_several_tokens_ends(script: Script) -> None:
    steps = script.run([310, script.hash, script.hash, script.hash])
    assert isinstance(steps[-1], TurnFinished)
    assert steps[-1].finish_reason == "stop"
    assert "#" not in words(steps)


def test_only_the_first_voken_can_be_sampled(script: Script) -> None:
    script.run([script.vocabulary.end])
    ids = script.tokenizer.convert_tokens_to_ids(list(control_tokens()))
    assert script.banned[0] >= {*ids[1:], 0, 1}
    assert not script.banned[0] & {script.img0, script.vocabulary.end}


def test_never_reads_a_picture_and_hands_none_on(script: Script) -> None:
    steps = script.run([310, script.img0, 311, script.vocabulary.end], pictures="never")
    assert kinds(steps) == [ReadToken, ReadVokens, ReadToken, TurnFinished]
    expected = script.next_logits([310, *script.vocabulary.vokens, 311])
    assert torch.allclose(script.logits[-1], expected, atol=1e-4)
    assert steps[-1].token_ids == (310, script.img0, 311, script.vocabulary.end)


def test_always_draws_where_the_reply_would_have_ended(script: Script) -> None:
    steps = script.run([310, 311, script.vocabulary.end, 312, script.vocabulary.end], pictures="always")
    assert kinds(steps) == [ReadToken, ReadToken, ReadVokens, Draw, ReadToken, TurnFinished]
    (picture,) = (step for step in steps if isinstance(step, Draw))
    whole = script.hidden([310, 311, *script.vocabulary.vokens])
    assert torch.allclose(picture.voken_hidden[0], whole[5:13], atol=1e-5)


def test_always_takes_a_stop_of_several_tokens_back_before_it_draws(script: Script) -> None:
    steps = script.run([310, *[script.hash] * 3, 311, script.vocabulary.end], pictures="always")
    (picture,) = (step for step in steps if isinstance(step, Draw))
    vokens = script.vocabulary.vokens
    assert torch.allclose(picture.voken_hidden[0], script.hidden([310, *vokens])[4:12], atol=1e-5)
    assert torch.allclose(script.logits[-1], script.next_logits([310, *vokens, 311]), atol=1e-4)
    assert "#" not in words(steps)
    assert steps[-1] == TurnFinished("stop", 0, (310, script.img0, 311, script.vocabulary.end), 0)


@pytest.mark.parametrize("count", [1, 3])
def test_always_draws_with_the_last_token_at_the_latest(count: int, script: Script) -> None:
    steps = script.run([310, 311, 312], pictures="always", max_new_tokens=count)
    assert isinstance(steps[-2], Draw)
    assert isinstance(steps[-1], TurnFinished)
    assert steps[-1].finish_reason == "length"
    assert steps[-1].token_ids == (*(310, 311)[: count - 1], script.img0)


def test_a_picture_may_be_the_very_last_token(script: Script) -> None:
    steps = script.run([310, script.img0], max_new_tokens=2)
    assert kinds(steps) == [ReadToken, ReadVokens, Draw, TurnFinished]


def test_no_more_than_the_most_pictures_are_drawn(script: Script) -> None:
    script.run([*[script.img0] * MAX_PICTURES, script.vocabulary.end])
    assert script.img0 not in script.banned[MAX_PICTURES - 1]
    assert script.img0 in script.banned[MAX_PICTURES]


@pytest.mark.parametrize("pictures", ["auto", "always"])
def test_the_context_is_never_left(pictures: str, script: Script) -> None:
    seen = 0
    for step in script.run([310] * 40, max_length=24, pictures=pictures):
        seen += 8 if isinstance(step, ReadVokens) else isinstance(step, ReadToken)
    assert len(PROMPT) + seen <= 24


def test_every_voken_is_known(script: Script) -> None:
    assert [script.tokenizer.convert_ids_to_tokens(token) for token in script.vocabulary.vokens] == list(
        voken_names()
    )


def test_each_picture_of_a_reply_has_its_own_noise(script: Script) -> None:
    steps = script.run([script.img0, script.img0, script.vocabulary.end])
    seeds = [step.orders[0].seed for step in steps if isinstance(step, Draw)]
    assert seeds == [0, picture_seed(0, 1)]
    assert picture_seed(7, 0) == 7
    assert len({picture_seed(2**63 - 1, index) for index in range(8)}) == 8
    assert all(0 <= picture_seed(2**63 - 1, index) < 2**32 for index in range(1, 8))


def test_a_stop_that_is_taken_back_is_unread_by_the_vokens(script: Script) -> None:
    steps = script.run([310, *[script.hash] * 3, script.vocabulary.end], pictures="always")
    (vokens,) = (step for step in steps if isinstance(step, ReadVokens))
    assert vokens.forget == 2  # the third was never read
