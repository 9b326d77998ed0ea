"""The token loop exactly as the official code has it, for comparison with it and for its released weights.

Chain: repetition penalty, temperature, top-k, top-p, one draw (`GenerationOptions`; the official values are
`minigpt5.options.OFFICIAL`). As in official `MiniGPT5_Model.predict` on transformers 4.31: every token of the
vocabulary may be sampled; the penalty counts `[IMG0]` and, from the start, a dummy first id, the LLM's `bos`;
the reply ends with the LLM's `eos` (which need not be the tokenizer's) or one of `stop_sequences`, and the
last id stays; a picture that must come ("always") comes first; a prefix is counted in the positions of new
tokens, not in those of the prompt. Better than the official code in two things: every group of vokens gives
its features, not only the first, and a group may be the very last token.
"""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from minigpt5.config import ModelConfig
from minigpt5.generation.reader import Reader
from minigpt5.generation.sampling import choose
from minigpt5.generation.vocabulary import Vocabulary
from minigpt5.images import preprocess
from minigpt5.model.language import LanguageModel
from minigpt5.model.minigpt5 import MiniGPT5
from minigpt5.options import OFFICIAL, GenerationOptions
from minigpt5.prompt import STOP, Tokenizer, encode_raw

StopSequences = Sequence[Sequence[int]]


class GeneratedIds(NamedTuple):
    """What `OfficialEngine.generate_ids` gives: the sampled ids, without the prompt and the official dummy first id,
    and for each `[IMG0]` among them, in order, the features of its picture."""

    ids: list[int]
    voken_hidden: Tensor  # (G,V,D), G = 0 when nothing is drawn


@dataclass(frozen=True, slots=True, eq=False)
class OfficialStep:
    """One sampled id, the state that predicted it, and the features of its picture if it is `[IMG0]`."""

    token_id: int
    state: Tensor  # (1,D)
    voken_hidden: Tensor | None  # (1,V,D)


class OfficialEngine:
    """A model driven as the official code drives it, for evaluation and comparison."""

    def __init__(self, model: MiniGPT5, tokenizer: Tokenizer, config: ModelConfig) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.config = config
        self.vocabulary = Vocabulary(
            tokenizer, model.language.llama.config.vocab_size, config.mapper.num_vokens
        )

    @torch.inference_mode()
    def generate_ids(
        self,
        prompt_text: str,
        images: Sequence[Image.Image | Tensor] | Tensor = (),
        options: GenerationOptions = OFFICIAL,
    ) -> GeneratedIds:
        """Ids sampled as by official `MiniGPT5_Model.predict`, and the features (G,V,D) of each picture;
        `mapper(voken_hidden)` makes prompt_embeds (G,L,C) of them.

        `prompt_text` is the whole prompt in the official template, one `<ImageHere>` a picture; BOS is put in
        front. `images` are PIL pictures or pixel_values (3,H,W); those beyond the last `<ImageHere>` are left
        out, as there. Of `options` only those of the text count. Raises `PromptError` when there is no text or
        a picture is missing.
        """
        embeds = self.embed_raw(prompt_text, images)
        stops = self.config.stop_sequences or [self.tokenizer.encode(STOP, add_special_tokens=False)]
        seed = secrets.randbelow(2**32) if options.seed is None else options.seed
        steps = list(
            decode_officially(
                self.model.language,
                embeds,
                self.vocabulary,
                options,
                generator=torch.Generator().manual_seed(seed),
                stop_sequences=stops,
            )
        )
        features = [step.voken_hidden for step in steps if step.voken_hidden is not None]
        none = embeds.new_zeros(0, self.config.mapper.num_vokens, embeds.shape[-1])
        return GeneratedIds([step.token_id for step in steps], torch.cat([none, *features]))

    @torch.inference_mode()
    def embed_raw(self, prompt_text: str, images: Sequence[Image.Image | Tensor] | Tensor = ()) -> Tensor:
        """inputs_embeds (1,T,D) of a prompt given as for `generate_ids`; raises as it does."""
        ids = encode_raw(prompt_text, self.tokenizer)
        size = self.config.vision["image_size"]
        pixels = [image if isinstance(image, Tensor) else preprocess(image, size) for image in images]
        queries = self.model.vision.query_tokens
        shown = pixels[: ids.count(self.vocabulary.placeholder)]
        pixel_values = torch.stack(shown).to(queries) if shown else None
        return self.model.embed(
            torch.tensor([ids], device=queries.device), pixel_values, self.vocabulary.placeholder
        )


def decode_officially(
    language: LanguageModel,
    inputs_embeds: Tensor,
    vocabulary: Vocabulary,
    options: GenerationOptions,
    *,
    generator: torch.Generator,
    stop_sequences: StopSequences,
) -> Iterator[OfficialStep]:
    """Steps of the reply to inputs_embeds (1,T,D). The first one includes the reading of the prompt."""
    reader, sampled = Reader(language), list[int]()
    positions = torch.arange(inputs_embeds.shape[1], device=inputs_embeds.device)
    reader.read(inputs_embeds, positions[None])
    first_voken = vocabulary.vokens[0]
    config = language.llama.config
    ends = {config.eos_token_id} if isinstance(config.eos_token_id, int) else set(config.eos_token_id or ())
    for _ in range(options.max_new_tokens):
        state = reader.last_state[0]
        token_id = choose(
            reader.next_logits(),
            options,
            history=[config.bos_token_id, *sampled],
            banned=_banned(options, sampled, first_voken, config.vocab_size),
            generator=generator,
        )
        sampled.append(token_id)
        if token_id == first_voken:
            yield OfficialStep(token_id, state, reader.read_vokens(vocabulary.vokens))
            continue
        yield OfficialStep(token_id, state, None)
        if token_id in ends or _ends_with(sampled, stop_sequences):
            return
        reader.read_token(token_id)


def _banned(options: GenerationOptions, sampled: list[int], first_voken: int, size: int) -> Tensor:
    """Nothing, but for `pictures` "always" all but `[IMG0]` as first id, and for "never" `[IMG0]`."""
    if options.pictures == "always" and first_voken not in sampled:
        return torch.tensor([index for index in range(size) if index != first_voken])
    return torch.tensor([first_voken] if options.pictures == "never" else [], dtype=torch.long)


def _ends_with(ids: list[int], stop_sequences: StopSequences) -> bool:
    return any(ids[-len(stop) :] == list(stop) for stop in stop_sequences)
