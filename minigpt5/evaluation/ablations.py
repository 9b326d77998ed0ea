"""The ablations measured: every variant that has been trained, in the settings in which the paper compares it.

`ablations.json` and `ablations.md`, and a contact sheet for each setting, as `report` has them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from minigpt5.checkpoint.fingerprint import Facts, model_digest, weights_digest
from minigpt5.conversation import ImagePart, Message
from minigpt5.errors import TrainingError
from minigpt5.evaluation.answers import answer_all
from minigpt5.evaluation.features import Networks
from minigpt5.evaluation.report import Figures, contact_sheets, score, table, write_report
from minigpt5.evaluation.samples import storybook_samples
from minigpt5.evaluation.settings import CONTEXTS, Setting, Task
from minigpt5.evaluation.systems import MiniGPT5System, System, draw, hidden_of
from minigpt5.generation.engine import DEFAULTS, Engine
from minigpt5.options import GenerationOptions
from minigpt5.prompt import encode_caption
from minigpt5.training.ablations import SCHEDULES, VARIANTS, Variant, base_of, finished, trained

GUIDANCE_SCALES = (1.0, DEFAULTS.guidance_scale, 7.5)  # none, this model's, the paper's


@dataclass(frozen=True)
class BareSystem:
    """A first stage in its own form: the picture of the vokens after the bare words of the request."""

    engine: Engine
    options: GenerationOptions

    @torch.inference_mode()
    def answer(self, task: Task, setting: Setting, seed: int) -> Message:
        """A picture alone."""
        words, mapper = task.history.messages[-1].text, self.engine.model.mapper
        encoded = encode_caption(words, None, self.engine.tokenizer, num_vokens=mapper.num_vokens)
        embeds = mapper(hidden_of(self.engine, encoded))
        picture = draw(self.engine, embeds, mapper.null_embeds(), self.options, seed)
        return Message("assistant", (ImagePart(picture),))


def ablation_settings(variants: list[Variant]) -> list[tuple[Setting, float]]:
    """The settings of these variants, each with its guidance scale."""
    first, second = (
        tuple(variant.title for variant in variants if variant.data == data) for data in SCHEDULES
    )
    captions = [
        (
            Setting(f"captions-{scale:g}", f"Picture from a caption, guidance {scale:g}", "captions", first),
            scale,
        )
        for scale in GUIDANCE_SCALES
    ]
    scenes = [
        (
            Setting(
                f"last-{context}",
                f"Last scene of a story, its words given, context: {shown}",
                "stories",
                second,
                context=context,
                narration=True,
            ),
            DEFAULTS.guidance_scale,
        )
        for context, shown in CONTEXTS.items()
    ]
    return [*(captions if first else ()), *(scenes if second else ())]


def evaluate_ablations(runs: Path, networks: Networks, results: Path, count: int) -> None:
    """Answer and measure on `count` samples a setting; it goes on where it stopped.

    Raises `TrainingError` when no variant has been trained to its end.
    """
    base = base_of(runs)
    variants = [variant for variant in VARIANTS if finished(runs, variant)]
    if not variants:
        raise TrainingError(f"{runs}: got no finished variant on {base}, expected one or more")
    engines = {variant: _engine(runs, variant) for variant in variants}
    learned = {variant: _learned(runs, base, variant) for variant in variants}
    scored: dict[Setting, Figures] = {}
    for setting, scale in ablation_settings(variants):
        samples = storybook_samples(setting.source, count, next(iter(engines.values())).config.image_size)
        options = GenerationOptions(guidance_scale=scale)
        systems = {variant.title: _system(variant, engine, options) for variant, engine in engines.items()}
        origins = {v.title: {**asdict(options), **learned[v]} for v in variants}
        answers = answer_all(setting, samples, systems, origins, results)
        contact_sheets(results, setting, answers)
        scored[setting] = score(answers, networks, setting)
        print(table(setting, scored[setting], networks), flush=True)
        write_report(results, scored, networks, "ablations")


def _learned(runs: Path, base: Path, variant: Variant) -> Facts:
    """The weights of a variant: those it began with and its own."""
    names = [name for name in (variant.after, variant.name) if name]
    return {"base": model_digest(base), **{name: weights_digest(runs / name) for name in names}}


def _engine(runs: Path, variant: Variant) -> Engine:
    loaded = trained(runs, variant)
    return Engine(loaded.model, loaded.tokenizer, loaded.config)


def _system(variant: Variant, engine: Engine, options: GenerationOptions) -> System:
    return BareSystem(engine, options) if variant.data == "captions" else MiniGPT5System(engine, options)
