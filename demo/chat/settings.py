"""The settings of a reply as controls, and their values back into `GenerationOptions`.

The controls' order is that of `CONTROLS`, in which `read_settings` takes the values. `chat.page` draws them; the
handlers of chat and picture read them. Knows no ranges: the options verify themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import fields

import gradio as gr
from gradio.components import Component
from gradio.i18n import I18nData

from minigpt5 import GenerationOptions

DEFAULTS = GenerationOptions()
PICTURE_CHOICES = [("When it fits", "auto"), ("Always", "always"), ("Never", "never")]
SCHEDULER_NAMES = {
    "fast": "Fast",
    "dpmsolver++": "DPM-Solver++",
    "ddim": "DDIM",
    "pndm": "PNDM",
    "lcm": "LCM",
    "tcd": "TCD",
    "euler-trailing": "Euler, trailing",
}
CONTROLS = (
    "pictures",
    "guidance_scale",
    "num_inference_steps",
    "scheduler",
    "seed",
    "temperature",
    "top_p",
    "top_k",
    "repetition_penalty",
    "max_new_tokens",
)
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")
_WHOLE = ("num_inference_steps", "top_k", "max_new_tokens")


def settings_panel(schedulers: Sequence[str]) -> list[Component]:
    """Draw the controls where the caller stands and return them, with a button that puts the defaults back.

    `schedulers` are those that the model can draw with.
    """
    gr.HTML("<h2>Settings</h2><p>They hold from your next message on.</p>", elem_classes="panel-title")
    controls = [*_picture_controls(schedulers), *_word_controls()]
    reset = gr.Button(I18nData("Back to the defaults"), variant="secondary", size="sm")
    reset.click(default_values, None, controls, queue=False, show_progress="hidden", api_visibility="private")
    return controls


def default_values() -> list[object]:
    """The controls' values at the start, in their order."""
    return ["" if name == "seed" else getattr(DEFAULTS, name) for name in CONTROLS]


def read_settings(*values: object) -> GenerationOptions:
    """The options that the controls' `values` stand for; raises `OptionError` for what the model cannot do."""
    given = dict(zip(CONTROLS, values, strict=True))
    given["seed"] = _seed(given["seed"])
    for name, value in given.items():
        if name in _WHOLE and isinstance(value, float) and value.is_integer():
            given[name] = int(value)
        elif value is None and name != "seed":
            given[name] = getattr(DEFAULTS, name)
    return GenerationOptions(**given)  # type: ignore[arg-type]  # it verifies what the page sends


def _seed(typed: object) -> object:
    """None for "draw anew", a number where `typed` is one; anything else is left for the options to refuse."""
    words = str("" if typed is None else typed).strip()
    if words in ("", "-1"):
        return None
    return int(words) if _WHOLE_NUMBER.fullmatch(words) else words


def scheduler_choices(schedulers: Sequence[str]) -> list[tuple[str, str]]:
    """What a person reads and what is meant, of the schedulers that a model can draw with."""
    return [(name, value) for value, name in SCHEDULER_NAMES.items() if value in schedulers]


def _picture_controls(schedulers: Sequence[str]) -> list[Component]:
    gr.HTML("<h3>Pictures</h3>", elem_classes="panel-title")
    return [
        gr.Radio(
            [(I18nData(name), value) for name, value in PICTURE_CHOICES],
            value=DEFAULTS.pictures,
            label=I18nData("Draw a picture"),
            elem_id="option-pictures",
            info=I18nData("Let the model decide, have one in every reply, or words alone."),
        ),
        gr.Slider(
            1, 20, DEFAULTS.guidance_scale, step=0.5, label=I18nData("Guidance"),
            elem_id="option-guidance_scale",
            info=I18nData("How closely a picture keeps to the words. 1 is off and twice as fast; very high is garish."),
        ),
        gr.Slider(
            1, 100, DEFAULTS.num_inference_steps, step=1, label=I18nData("Steps"),
            elem_id="option-num_inference_steps",
            info=I18nData("More steps draw more carefully and take longer."),
        ),
        gr.Dropdown(
            scheduler_choices(schedulers), value=DEFAULTS.scheduler, label=I18nData("Scheduler"),
            elem_id="option-scheduler", filterable=False,
            info=I18nData("How the steps are spaced: DPM-Solver++ is good at 20, DDIM already at 10. Fast, where there is one, takes steps and guidance of its own."),
        ),
        gr.Textbox(
            "", label=I18nData("Seed"),
            elem_id="option-seed", placeholder=I18nData("random"), max_lines=1,
            info=I18nData("The same number repeats words and pictures. Empty or -1: a new one each time."),
        ),
    ]  # fmt: skip


def _word_controls() -> list[Component]:
    gr.HTML("<h3>Words</h3>", elem_classes="panel-title")
    return [
        gr.Slider(
            0, 2, DEFAULTS.temperature, step=0.05, label=I18nData("Temperature"),
            elem_id="option-temperature",
            info=I18nData("Low is steady, high is adventurous; 0 always takes the likeliest word."),
        ),
        gr.Slider(
            0.05, 1, DEFAULTS.top_p, step=0.05, label=I18nData("Top-p"),
            elem_id="option-top_p",
            info=I18nData("Choose among the likeliest words that together have this share."),
        ),
        gr.Slider(
            0, 200, DEFAULTS.top_k, step=1, label=I18nData("Top-k"),
            elem_id="option-top_k",
            info=I18nData("Choose among this many of the likeliest words; 0 is no such limit."),
        ),
        gr.Slider(
            0.5, 3, DEFAULTS.repetition_penalty, step=0.05, label=I18nData("Repetition penalty"),
            elem_id="option-repetition_penalty",
            info=I18nData("Above 1 it avoids words that it has already used."),
        ),
        gr.Slider(
            1, 1024, DEFAULTS.max_new_tokens, step=1, label=I18nData("Longest reply"),
            elem_id="option-max_new_tokens",
            info=I18nData("In tokens, which are words or pieces of words; a picture counts as one."),
        ),
    ]  # fmt: skip


assert set(CONTROLS) == {field.name for field in fields(GenerationOptions)}, "an option has no control"
