"""Train a stage of a model folder on data sets; the result is a model folder again.

    read the data -> load the folder (4-bit if asked) -> add LoRA or a prefix -> fit -> export

The same on one process as on many: `accelerate launch -m minigpt5 train --model ...`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.build import LoadedModel, load_model
from minigpt5.checkpoint.store import load_tokenizer
from minigpt5.config import ConnectorConfig, ModelConfig
from minigpt5.conversation import Conversation
from minigpt5.data.readers import READERS
from minigpt5.data.samples import Samples, joined, verified
from minigpt5.generation.engine import Engine
from minigpt5.options import FAST, GenerationOptions
from minigpt5.prompt import SYSTEM
from minigpt5.training.accelerators import verify_sharding, verify_trackers
from minigpt5.training.beginnings import (
    ENCODER_VOKENS,
    add_adapters,
    forget_vokens,
    resize,
    with_connector,
    with_vokens,
)
from minigpt5.training.checkpoints import STEP, WEIGHTS, best, newest
from minigpt5.training.distil_stage import DistilStageTask, student_weights, with_student
from minigpt5.training.export import export
from minigpt5.training.multimodal import StageTask
from minigpt5.training.recipe import (
    FACTS,
    DataSets,
    Recipe,
    facts_of,
    schedule_of,
    stage_of,
    verify_held_out,
    verify_recipe,
    verify_run,
)
from minigpt5.training.sources import FileSource, Reading
from minigpt5.training.teachers import load_teacher, verify_teacher
from minigpt5.training.throughput import Throughput
from minigpt5.training.trainer import Validation, Watching, fit, processes
from minigpt5.training.validation import HeldOut

VERIFIED = 2000  # records: in a data set of no more, every picture is opened before the training begins
RESULT = "result.json"  # in a run: which weights were exported
VALID_SEED = 0  # of the noise on held-out data: the same for trainings of all seeds
VALIDATION = GenerationOptions(seed=7, pictures="always", max_new_tokens=64)

Score = Callable[[list[Image.Image], list[str]], dict[str, float]]


def finetune(recipe: Recipe, score: Score | None = None) -> Throughput:
    """Run `recipe`, or go on with it; its result is in `recipe.out`.

    `score` judges the pictures drawn from `recipe.prompts` (pictures, prompts -> figures by name). Raises
    `DataError`, `CheckpointError`, `OptionError` and `TrainingError`, which also refuses a folder `recipe.run` in
    which something else has been trained.
    """
    verify_sharding()
    verify_trackers(recipe.trackers)
    everyone = processes()
    config = ModelConfig.load(recipe.model)
    tokenizer = load_tokenizer(recipe.model, config.mapper.num_vokens)
    config = begun_with(recipe, config, tokenizer)
    recipe = replace(recipe, stage=stage_of(recipe, config))
    verify_recipe(recipe, config)
    samples = read_data(recipe.data, config, tokenizer)
    held_out = read_data(recipe.valid, config, tokenizer) if recipe.valid else None
    verify_held_out(recipe)
    schedule = schedule_of(recipe, len(samples), everyone.num_processes)
    facts = facts_of(recipe, config, schedule, everyone.num_processes)
    verify_run(recipe.run, facts)
    everyone.wait_for_everyone()
    if everyone.is_main_process:
        print(samples.report, flush=True)
        if held_out:
            print(f"held out: {held_out.report}", flush=True)
        recipe.run.mkdir(parents=True, exist_ok=True)
        (recipe.run / FACTS).write_text(json.dumps(facts, indent=2) + "\n")
    loaded = _load(recipe, config, tokenizer, everyone.device)
    task = _task(recipe, loaded, samples)
    watching = Watching(
        draw=_drawing(loaded, recipe, score) if recipe.prompts else None,
        held_out=_held_out(recipe, loaded, task, held_out) if held_out else None,
        patience=recipe.patience,
        trackers=recipe.trackers,
        project=recipe.project,
        facts={name: str(value) for name, value in facts.items()},
    )
    throughput = fit(task, schedule, recipe.run, precision=recipe.precision, watching=watching)
    if everyone.is_main_process:
        _export(recipe, loaded)
    everyone.wait_for_everyone()
    return throughput


def begun_with(recipe: Recipe, config: ModelConfig, tokenizer: PreTrainedTokenizerFast) -> ModelConfig:
    """The configuration with the connector and the number of vokens that the training begins with."""
    count = recipe.num_vokens
    if recipe.connector is not None:
        if count is None and not isinstance(config.mapper, ConnectorConfig):
            count = ENCODER_VOKENS
        config = with_connector(config, recipe.connector)
    return config if count is None else with_vokens(config, tokenizer, count)


def read_data(data: DataSets, config: ModelConfig, tokenizer: PreTrainedTokenizerFast) -> Samples:
    """All data sets as one; small ones are verified whole."""
    system = config.system_prompt or SYSTEM
    samples = joined(READERS[kind](path, system) for kind, path in data)
    if len(samples) > VERIFIED:
        return samples
    return verified(
        samples, tokenizer, config.context_length, config.num_query_tokens, config.mapper.num_vokens
    )


def _load(
    recipe: Recipe, config: ModelConfig, tokenizer: PreTrainedTokenizerFast, device: torch.device
) -> LoadedModel:
    """The folder on this process's device, with what the stage adds to it; what is trained is float32."""
    half = device.type == "cuda" and recipe.precision != "no"
    dtype = "bfloat16" if half else "float32"
    loaded = load_model(recipe.model, quantize=recipe.quantize, device=str(device), dtype=dtype)
    torch.manual_seed(recipe.schedule.seed)  # what is added begins the same on every process
    loaded = resize(loaded, config, tokenizer)
    model, stage = loaded.model, recipe.stage
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
    source = FileSource(samples, loaded.tokenizer, _reading(recipe, config), recipe.workers)
    if recipe.distillation:
        return DistilStageTask(loaded, recipe.stage, source, recipe.distillation, recipe.cache)
    told = recipe.stage.caption_weight and any(sample.caption for sample in samples)
    teacher = load_teacher(recipe.model, config, loaded.tokenizer, recipe.diffusion) if told else None
    if teacher:
        verify_teacher(teacher, config)
    task = StageTask(loaded.model, recipe.stage, loaded.tokenizer, source, teacher, recipe.cache)
    loaded.model.mapper.float()
    for parameter in loaded.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return task


def _reading(recipe: Recipe, config: ModelConfig) -> Reading:
    return Reading(
        image_size=config.image_size,
        eye_size=config.vision["image_size"],
        max_tokens=config.context_length,
        tokens_per_image=config.num_query_tokens,
        num_vokens=config.mapper.num_vokens,
        flipped_share=recipe.flipped_share,
        seed=recipe.schedule.seed,
    )


def _held_out(recipe: Recipe, loaded: LoadedModel, task: StageTask, samples: Samples) -> HeldOut:
    reading = replace(_reading(recipe, loaded.config), flipped_share=0.0, seed=VALID_SEED)
    source = FileSource(samples, loaded.tokenizer, reading)
    return HeldOut(task, source, recipe.schedule.batch_size)


def _export(recipe: Recipe, loaded: LoadedModel) -> None:
    """Write the result, and which weights it has: `result.json`."""
    last, kept = newest(recipe.run), best(recipe.run)
    checkpoint = kept if recipe.exports == "best" and kept else last
    assert checkpoint is not None and last is not None
    weights = load_file(checkpoint / WEIGHTS)
    if recipe.distillation:  # with its average, unless the best one is wanted
        if checkpoint == kept:
            loaded.model.load_state_dict(weights, strict=False)
        weights = student_weights(loaded)
    export(
        recipe.model,
        recipe.out,
        weights,
        config=loaded.config,
        tokenizer=loaded.tokenizer,
        lora=recipe.lora,
    )
    result = {
        "exported": "best" if checkpoint == kept else "last",
        **json.loads((checkpoint / STEP).read_text()),
        "last step": json.loads((last / STEP).read_text())["step"],
    }
    (recipe.run / RESULT).write_text(json.dumps(result, indent=2) + "\n")
    print(f"{recipe.out}: the {result['exported']} weights, after {result['step']} steps", flush=True)


def _drawing(loaded: LoadedModel, recipe: Recipe, score: Score | None) -> Validation:
    prompts = recipe.prompts
    options = replace(VALIDATION, scheduler=FAST) if recipe.distillation else VALIDATION

    def validate() -> tuple[list[Image.Image], dict[str, float]]:
        """A picture for each prompt, always with the same seed."""
        engine = Engine(loaded.model, loaded.tokenizer, loaded.config)
        pictures = [engine.reply(Conversation().user(prompt), options).images[0] for prompt in prompts]
        return pictures, score(pictures, list(prompts)) if score else {}

    return validate
