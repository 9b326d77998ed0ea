"""Train a stage of a model folder on data sets; the result is a model folder again.

    read the data -> load the folder (4-bit if asked) -> add LoRA or a prefix -> fit -> export

The same on one process as on many: `accelerate launch -m minigpt5 train --model ...`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.build import LoadedModel, Quantization, load_model
from minigpt5.checkpoint.fingerprint import (
    Facts,
    data_digest,
    differences,
    model_digest,
    plain,
    weights_digest,
)
from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.config import LoraConfig, ModelConfig
from minigpt5.conversation import Conversation
from minigpt5.data.readers import READERS
from minigpt5.data.samples import Samples, joined, verified
from minigpt5.errors import OptionError, TrainingError
from minigpt5.generation.engine import Engine
from minigpt5.options import FAST, GenerationOptions
from minigpt5.prompt import SYSTEM
from minigpt5.training.beginnings import add_adapters, forget_vokens, resize, with_vokens
from minigpt5.training.checkpoints import WEIGHTS, newest
from minigpt5.training.distil import Distillation
from minigpt5.training.distil_stage import DistilStageTask, student_weights, with_student
from minigpt5.training.export import export
from minigpt5.training.multimodal import StageTask
from minigpt5.training.sources import FileSource, Reading
from minigpt5.training.stages import Stage
from minigpt5.training.teachers import load_teacher
from minigpt5.training.throughput import Throughput
from minigpt5.training.trainer import Schedule, Validation, fit, processes

VERIFIED = 2000  # records: in a data set of no more, every picture is opened before the training begins
FACTS = "recipe.json"  # in a run: what is trained there
WARMUP = 1000  # steps, the official ones; of short trainings a tenth
VALIDATION = GenerationOptions(seed=7, pictures="always", max_new_tokens=64)

Score = Callable[[list[Image.Image], list[str]], dict[str, float]]


@dataclass(frozen=True)
class Recipe:
    """One training. `data` are kinds (`READERS`) and paths; `epochs` counts when `schedule.steps` is 0, and `warmup`
    instead of the schedule's: None is `WARMUP` steps, at most a tenth of all. `num_vokens` None leaves the model's."""

    model: Path
    stage: Stage
    data: tuple[tuple[str, Path], ...]
    out: Path
    run: Path
    schedule: Schedule
    epochs: float = 2.0
    warmup: int | None = None
    num_vokens: int | None = None
    quantize: Quantization | None = None
    precision: str = "auto"
    lora: LoraConfig = field(default_factory=LoraConfig)
    diffusion: Path | None = None  # Stable Diffusion's folder, for the caption loss
    prompts: tuple[str, ...] = ()  # drawn from now and then
    checkpointing: bool = False
    flipped_share: float = 0.0
    workers: int = 0
    cache: Path | None = None  # a folder that keeps what the frozen eyes and VAE make of a picture
    tensorboard: bool = False
    distillation: Distillation | None = None  # of the stage `distil`


def finetune(recipe: Recipe, score: Score | None = None) -> Throughput:
    """Run `recipe`, or go on with it; its result is in `recipe.out`.

    `score` judges the pictures drawn from `recipe.prompts` (pictures, prompts -> figures by name). Raises
    `DataError`, `CheckpointError`, `OptionError` and `TrainingError`, which also refuses a folder `recipe.run` in
    which something else has been trained.
    """
    everyone = processes()
    config = ModelConfig.load(recipe.model)
    _verify(recipe, config)
    tokenizer = load_tokenizer(recipe.model, config.mapper.num_vokens)
    if recipe.num_vokens is not None:
        config = with_vokens(config, tokenizer, recipe.num_vokens)
    samples = read_data(recipe, config, tokenizer)
    if everyone.is_main_process:
        print(samples.report, flush=True)
    schedule = _schedule(recipe, len(samples), everyone.num_processes)
    facts = facts_of(recipe, config, schedule, everyone.num_processes)
    verify_run(recipe.run, facts)
    everyone.wait_for_everyone()
    if everyone.is_main_process:
        recipe.run.mkdir(parents=True, exist_ok=True)
        (recipe.run / FACTS).write_text(json.dumps(facts, indent=2) + "\n")
    loaded = _load(recipe, config, tokenizer, everyone.device)
    task = _task(recipe, loaded, samples)
    validate = _validation(loaded, recipe, score) if recipe.prompts else None
    throughput = fit(
        task,
        schedule,
        recipe.run,
        precision=recipe.precision,
        tensorboard=recipe.tensorboard,
        validate=validate,
    )
    if everyone.is_main_process:
        export(
            recipe.model,
            recipe.out,
            _trained(recipe, loaded),
            config=loaded.config,
            tokenizer=tokenizer,
            lora=recipe.lora,
        )
    everyone.wait_for_everyone()
    everyone.destroy_process_group()
    return throughput


def read_data(recipe: Recipe, config: ModelConfig, tokenizer: PreTrainedTokenizerFast) -> Samples:
    """All data sets as one; small ones are verified whole."""
    system = config.system_prompt or SYSTEM
    samples = joined(READERS[kind](path, system) for kind, path in recipe.data)
    if len(samples) > VERIFIED:
        return samples
    return verified(
        samples, tokenizer, config.context_length, config.num_query_tokens, config.mapper.num_vokens
    )


def _verify(recipe: Recipe, config: ModelConfig) -> None:
    if recipe.stage.prefix_length and config.prefix_length:
        raise TrainingError(
            f"{recipe.model}: got a model with a prefix, expected one without for {recipe.stage.name}"
        )
    if recipe.checkpointing and (recipe.stage.prefix_length or config.prefix_length):
        raise TrainingError(
            "got gradient checkpointing with a prefix, expected one of the two: it forgets the prefix"
        )
    if recipe.out.resolve() == recipe.model.resolve():
        raise TrainingError(f"{recipe.out}: got the model's own folder, expected another one for the result")


def _schedule(recipe: Recipe, samples: int, processes: int) -> Schedule:
    """All steps and the warm-up as numbers; raises `OptionError`."""
    schedule = recipe.schedule
    step = schedule.batch_size * schedule.accumulate * processes
    steps = schedule.steps or math.ceil(recipe.epochs * samples / step)
    warmup = min(WARMUP, steps // 10) if recipe.warmup is None else recipe.warmup
    if not 0 <= warmup <= steps:
        raise OptionError(f"warmup: got {warmup}, expected 0 to {steps}, all steps of the training")
    return replace(schedule, steps=steps, warmup=warmup)


def facts_of(recipe: Recipe, config: ModelConfig, schedule: Schedule, processes: int) -> Facts:
    """All that the trained weights depend on, by name: not how it is saved, watched or divided among processes."""
    watching = ("batch_size", "accumulate", "save_every", "log_every", "validate_every", "faster")
    distilled = asdict(recipe.distillation) if recipe.distillation else {}
    rates = {name: value for name, value in asdict(schedule).items() if name not in watching}
    return plain(
        {
            "model": f"{recipe.model.name} {model_digest(recipe.model)}",
            "data": [f"{kind}:{path.name} {data_digest(path)}" for kind, path in recipe.data],
            "stage": recipe.stage.name,
            **rates,
            "samples a step": schedule.batch_size * schedule.accumulate * processes,
            "vokens": config.mapper.num_vokens,
            "quantize": recipe.quantize,
            "precision": recipe.precision,
            "flip": recipe.flipped_share,
            "diffusion": recipe.diffusion and f"{recipe.diffusion.name} {weights_digest(recipe.diffusion)}",
            **{f"LoRA {name}": value for name, value in asdict(recipe.lora).items()},
            **{f"distil {name}": value for name, value in distilled.items()},
            **{f"stage: {name}": value for name, value in asdict(recipe.stage).items() if name != "name"},
        }
    )


def verify_run(run: Path, facts: Facts) -> None:
    """Raise `TrainingError` where the checkpoints in `run` are those of another training than `facts` tell of."""
    if newest(run) is None:
        return
    hint = "expected the same training, or another folder for this one"
    try:
        before = dict(json.loads((run / FACTS).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise TrainingError(f"{run}: got checkpoints without a readable {FACTS} ({error}), {hint}") from error
    if other := differences(facts, before):
        raise TrainingError(f"{run}: got a training that differs from what is there ({other}), {hint}")


def _load(
    recipe: Recipe, config: ModelConfig, tokenizer: PreTrainedTokenizerFast, device: torch.device
) -> LoadedModel:
    """The folder on this process's device, with what the stage adds to it; what is trained is float32."""
    half = device.type == "cuda" and recipe.precision != "no"
    dtype = "bfloat16" if half else "float32"
    loaded = load_model(recipe.model, quantize=recipe.quantize, device=str(device), dtype=dtype)
    loaded = resize(loaded, config, tokenizer)
    model, stage = loaded.model, recipe.stage
    torch.manual_seed(recipe.schedule.seed)  # what is added begins the same on every process
    vars(model.language.llama)["is_loaded_in_4bit"] = recipe.quantize == "4bit"  # what peft asks
    vars(model.language.llama)["is_loaded_in_8bit"] = recipe.quantize == "8bit"
    if stage.fresh:
        forget_vokens(loaded)
    add_adapters(model.language, stage, recipe.lora)
    if recipe.distillation:
        loaded = with_student(loaded, recipe.distillation)
    if recipe.checkpointing:
        model.language.llama.activation_checkpointing_enable()
        (model.diffusion.unet_fast or model.diffusion.unet).enable_gradient_checkpointing()
    model.to(device)
    return loaded


def _task(recipe: Recipe, loaded: LoadedModel, samples: Samples) -> StageTask:
    config = loaded.config
    reading = Reading(
        image_size=config.image_size,
        eye_size=config.vision["image_size"],
        max_tokens=config.context_length,
        tokens_per_image=config.num_query_tokens,
        num_vokens=config.mapper.num_vokens,
        flipped_share=recipe.flipped_share,
        seed=recipe.schedule.seed,
    )
    source = FileSource(samples, loaded.tokenizer, reading, recipe.workers)
    if recipe.distillation:
        return DistilStageTask(loaded, recipe.stage, source, recipe.distillation, recipe.cache)
    told = recipe.stage.caption_weight and any(sample.caption for sample in samples)
    teacher = load_teacher(recipe.model, config, loaded.tokenizer, recipe.diffusion) if told else None
    task = StageTask(loaded.model, recipe.stage, loaded.tokenizer, source, teacher, recipe.cache)
    loaded.model.mapper.float()
    for parameter in loaded.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return task


def _trained(recipe: Recipe, loaded: LoadedModel) -> dict[str, Tensor]:
    """What the run has learned, by the names of parameters."""
    if recipe.distillation:
        return student_weights(loaded)
    checkpoint = newest(recipe.run)
    assert checkpoint is not None
    return load_file(checkpoint / WEIGHTS)


def _validation(loaded: LoadedModel, recipe: Recipe, score: Score | None) -> Validation:
    prompts = recipe.prompts
    options = replace(VALIDATION, scheduler=FAST) if recipe.distillation else VALIDATION

    def validate() -> tuple[list[Image.Image], dict[str, float]]:
        """A picture for each prompt, always with the same seed."""
        engine = Engine(loaded.model, loaded.tokenizer, loaded.config)
        pictures = [engine.reply(Conversation().user(prompt), options).images[0] for prompt in prompts]
        return pictures, score(pictures, list(prompts)) if score else {}

    return validate
