"""What the panel that looks inside is told: tokens that can be read, and what each voken does."""

import numpy as np
import pytest
import torch
from PIL import Image

from minigpt5.conversation import Conversation
from minigpt5.errors import OptionError
from minigpt5.events import ImageFinished, TurnFinished
from minigpt5.generation.engine import Engine
from minigpt5.options import GenerationOptions
from minigpt5.vokens import voken_names

OPTIONS = GenerationOptions(seed=1, max_new_tokens=6, num_inference_steps=1, pictures="always")


def test_the_prompt_and_the_reply_are_told_token_by_token(engine: Engine, picture: Image.Image) -> None:
    chat = Conversation().user(picture, "Draw a blue rabbit.")
    finished = list(engine.stream(chat, OPTIONS))[-1]
    assert isinstance(finished, TurnFinished)
    seen = engine.inspect(chat, finished.token_ids, OPTIONS)
    assert "".join(token.text for token in seen.prompt if token.kind == "text").endswith("###Assistant:")
    assert [token.kind for token in seen.prompt].count("picture") == 1
    assert seen.prompt[0].kind == "control"
    assert [token.text for token in seen.reply if token.kind == "voken"] == list(voken_names())
    assert len(seen.reply) == len(finished.token_ids) + len(voken_names()) - 1


def test_a_voken_that_the_mapper_does_not_heed_moves_nothing(engine: Engine) -> None:
    events = engine.stream(Conversation().user("Draw a blue rabbit."), OPTIONS)
    (drawn,) = (event for event in events if isinstance(event, ImageFinished))
    vokens = drawn.vokens.copy()
    vokens[3] = 0  # putting zero to zero changes nothing
    influence = engine.voken_influence(vokens)
    assert influence.shape == (8, engine.config.mapper.length)
    assert np.allclose(influence[3], 0, atol=1e-6)
    assert (influence[[0, 1, 2, 4, 5, 6, 7]].max(axis=1) > 0).all()


def test_the_influence_is_the_relative_change_of_each_vector(engine: Engine) -> None:
    vokens = np.random.default_rng(0).normal(size=(8, engine.model.language.width)).astype(np.float32)
    without = vokens.copy()
    without[2] = 0
    with torch.inference_mode():
        before, after = engine.model.mapper(torch.from_numpy(np.stack([vokens, without])))
    expected = (after - before).norm(dim=-1) / before.norm(dim=-1)
    assert np.allclose(engine.voken_influence(vokens)[2], expected.numpy(), atol=1e-5)
    with pytest.raises(OptionError, match="vokens"):
        engine.voken_influence(vokens[:4])
