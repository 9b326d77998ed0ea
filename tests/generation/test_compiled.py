"""Compiled steps on a cache of fixed size change nothing in a reply; here without a compiler behind them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

import minigpt5
from minigpt5 import Conversation, Engine, GenerationOptions, OptionError, Reply
from minigpt5.config import ModelConfig
from minigpt5.generation.reader import Reader
from minigpt5.model.language import LanguageModel

STORYBOOK = Path(__file__).parents[2] / "weights/storybook"
STORY = Conversation().user("Tell me a story about a green frog and draw it")
BACKEND = "eager"  # traced, guarded and run as compiled code is, without the minute that a compiler takes


@pytest.fixture(autouse=True)
def _forget_compiled_code() -> Iterator[None]:
    yield
    torch.compiler.reset()


def test_a_reply_with_a_picture_stays_the_same() -> None:
    engine = minigpt5.load(STORYBOOK, device="cpu", dtype="float32")
    options = GenerationOptions(seed=3, max_new_tokens=40, pictures="always", num_inference_steps=2)
    before = engine.reply(STORY, options)
    engine.compile(BACKEND)
    with ThreadPoolExecutor(1) as pool:  # as the page does
        after = pool.submit(engine.reply, STORY, options).result()
    assert (after.text, after.token_ids) == (before.text, before.token_ids)
    assert difference(before, after) <= 1


@pytest.mark.filterwarnings(
    "ignore:.*autograd.function.Function.*:DeprecationWarning"
)  # bitsandbytes, traced
@pytest.mark.parametrize("quantize", ["4bit", "8bit"])
def test_words_of_quantized_layers_stay_the_same(quantize: str) -> None:
    engine = minigpt5.load(STORYBOOK, quantize=quantize, device="cpu", dtype="float32")
    options = GenerationOptions(seed=3, max_new_tokens=40, pictures="never")
    before = engine.reply(STORY, options)
    engine.model.language.compile_decoding(engine.config.context_length, BACKEND)
    assert engine.reply(STORY, options).text == before.text


def difference(before: Reply, after: Reply) -> int:
    """The largest difference of a pixel."""
    images = [
        torch.frombuffer(bytearray(reply.images[0].tobytes()), dtype=torch.uint8) for reply in (before, after)
    ]
    return int((images[0].int() - images[1].int()).abs().max())


@torch.inference_mode()
@pytest.mark.parametrize("prefix_length", [0, 3])
def test_a_step_reads_on_behind_forgotten_tokens_vokens_and_a_prefix(
    config: ModelConfig, prefix_length: int
) -> None:
    torch.manual_seed(0)
    language = LanguageModel(config.language, prefix_length).eval()
    if prefix_length:
        torch.nn.init.normal_(language.prefix_keys)
        torch.nn.init.normal_(language.prefix_values)
    states = [read_all(Reader(language))]
    language.compile_decoding(max_length=32, backend=BACKEND)
    for _ in range(2):  # the second sequence begins with an empty cache
        states.append(read_all(Reader(language, language.decode_step())))
    assert torch.allclose(states[0], states[1], atol=1e-5)
    assert torch.equal(states[1], states[2])


def read_all(reader: Reader) -> torch.Tensor:
    torch.manual_seed(1)
    reader.read(torch.randn(1, 5, reader._language.width))
    for token in (7, 8, 9):
        reader.read_token(token)
    reader.forget(2)
    reader.read_token(11)
    vokens = reader.read_vokens((1, 2, 3, 4, 5, 6, 7, 8))
    reader.read_token(12)
    return torch.cat([vokens, reader.last_state], dim=1)


def test_a_machine_without_a_compiler_is_told_so(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(*arguments: object) -> None:
        raise RuntimeError("Failed to find C compiler\nand more")

    monkeypatch.setattr(engine.model.language, "compile_decoding", no_compiler)
    with pytest.raises(OptionError, match="compile: got 'Failed to find C compiler', expected"):
        engine.compile()
