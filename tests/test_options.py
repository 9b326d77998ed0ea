"""`GenerationOptions` are verified once, at the door."""

import dataclasses
from typing import Any

import pytest

from minigpt5.config import FastConfig
from minigpt5.errors import OptionError
from minigpt5.options import GenerationOptions, schedulers_of, settled


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 0),
        ("temperature", 2.0),
        ("top_p", 1),
        ("top_k", 0),
        ("repetition_penalty", 0.5),
        ("max_new_tokens", 1024),
        ("guidance_scale", 1),
        ("num_inference_steps", 100),
        ("seed", None),
        ("seed", 0),
        ("scheduler", "ddim"),
        ("scheduler", "pndm"),
        ("scheduler", "lcm"),
        ("scheduler", "tcd"),
        ("scheduler", "euler-trailing"),
        ("scheduler", "fast"),
        ("pictures", "always"),
        ("pictures", "never"),
    ],
)
def test_values_at_the_edges_are_taken(name: str, value: Any) -> None:
    assert getattr(GenerationOptions(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("temperature", float("nan")),
        ("temperature", "hot"),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_k", 1.5),
        ("repetition_penalty", 0.4),
        ("max_new_tokens", 0),
        ("max_new_tokens", 1025),
        ("max_new_tokens", True),
        ("guidance_scale", 0.9),
        ("guidance_scale", 21),
        ("guidance_scale", float("inf")),
        ("num_inference_steps", 0),
        ("num_inference_steps", 101),
        ("seed", -1),
        ("seed", 2**63),
        ("seed", 1.0),
        ("scheduler", "euler"),
        ("pictures", True),
    ],
)
def test_values_outside_are_refused_with_got_and_expected(name: str, value: Any) -> None:
    with pytest.raises(OptionError, match=f"{name}: got .*, expected"):
        GenerationOptions(**{name: value})


@pytest.mark.parametrize("scheduler", ["lcm", "tcd"])
def test_more_steps_than_a_solver_of_fifty_has_are_refused(scheduler: Any) -> None:
    with pytest.raises(
        OptionError, match=f"num_inference_steps: got 51 with '{scheduler}', expected 1 to 50"
    ):
        GenerationOptions(scheduler=scheduler, num_inference_steps=51)


def test_fast_has_the_steps_and_the_guidance_of_the_model() -> None:
    options = GenerationOptions(scheduler="fast", seed=3)
    fast = FastConfig(num_inference_steps=2)
    assert settled(options, fast) == GenerationOptions(
        scheduler="fast", seed=3, num_inference_steps=2, guidance_scale=1.0
    )
    assert settled(GenerationOptions(), fast) == GenerationOptions()
    assert "fast" in schedulers_of(fast)


def test_fast_is_refused_for_a_model_without_few_steps() -> None:
    with pytest.raises(
        OptionError, match="scheduler: got 'fast' for a model without few steps, expected one of"
    ):
        settled(GenerationOptions(scheduler="fast"), None)
    assert "fast" not in schedulers_of(None)


def test_options_cannot_be_changed_afterwards() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        GenerationOptions().temperature = 1.0  # type: ignore[misc]
