"""What a caller may choose for one reply: frozen, and verified once, at the door.

Whoever holds a `GenerationOptions` may rely on every range below; nothing further down checks again.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from minigpt5.config import FastConfig
from minigpt5.errors import OptionError

SchedulerName = Literal["dpmsolver++", "ddim", "pndm", "lcm", "tcd", "euler-trailing", "fast"]
PictureMode = Literal["auto", "always", "never"]

SCHEDULERS: tuple[str, ...] = get_args(SchedulerName)
FAST: Final = "fast"  # the few steps that a model's folder declares, where it does
FEW_STEPS = ("lcm", "tcd")  # choose their steps among the solver's MAX_FEW_STEPS
MAX_FEW_STEPS = 50
PICTURE_MODES: tuple[str, ...] = get_args(PictureMode)
MAX_SEED = 2**63 - 1
MAX_TOTAL_STEPS = 500  # denoising steps of all pictures of one redraw together
COLDEST = 0.01  # logits divided by less leave the range of half precision

# field -> (lowest, highest), both allowed
RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "top_k": (0, 1000),
    "repetition_penalty": (0.5, 3.0),
    "max_new_tokens": (1, 1024),
    "guidance_scale": (1.0, 20.0),
    "num_inference_steps": (1, 100),
    "seed": (0, MAX_SEED),
}
WHOLE_NUMBERS = ("top_k", "max_new_tokens", "num_inference_steps", "seed")


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerationOptions:
    """How one reply is made. Raises `OptionError` when a value is outside its range.

    Text: `temperature` 0 (always the likeliest token) or COLDEST..2, `top_p` above 0 up to 1, `top_k` 0..1000 (0 =
    off), `repetition_penalty` 0.5..3 (1 = off), `max_new_tokens` 1..1024 (one picture counts as one token).
    Pictures: `guidance_scale` 1..20 (1 = no guidance and half the work), `num_inference_steps` 1..100,
    `scheduler` ("lcm" and "tcd" take at most 50 steps; "fast" takes scheduler, steps and guidance from the model,
    which must have been distilled). Both: `seed` (None = a new one each time; a given one repeats text and pictures
    on one machine) and `pictures`: "auto" lets the model decide, "always" has at least one in the reply, "never"
    has none.
    """

    temperature: float = 0.5
    top_p: float = 0.9
    top_k: int = 0
    repetition_penalty: float = 1.0
    max_new_tokens: int = 160
    guidance_scale: float = 3.0
    num_inference_steps: int = 20
    scheduler: SchedulerName = "dpmsolver++"
    seed: int | None = None
    pictures: PictureMode = "auto"

    def __post_init__(self) -> None:
        for name, (lowest, highest) in RANGES.items():
            value = getattr(self, name)
            if name == "seed" and value is None:
                continue
            _verify_number(name, value, lowest, highest)
        if self.top_p == 0:
            raise OptionError("top_p: got 0, expected a number above 0, at most 1")
        if 0 < self.temperature < COLDEST:
            raise OptionError(
                f"temperature: got {self.temperature!r}, expected 0 or a number from {COLDEST:g} to 2"
            )
        _verify_choice("scheduler", self.scheduler, SCHEDULERS)
        _verify_choice("pictures", self.pictures, PICTURE_MODES)
        if self.scheduler in FEW_STEPS and self.num_inference_steps > MAX_FEW_STEPS:
            raise OptionError(
                f"num_inference_steps: got {self.num_inference_steps} with {self.scheduler!r}, "
                f"expected 1 to {MAX_FEW_STEPS}"
            )


def _verify_number(name: str, value: object, lowest: float, highest: float) -> None:
    whole = name in WHOLE_NUMBERS
    kind = "a whole number" if whole else "a number"
    expected = (
        f"{kind} from {lowest:g} to {highest:g}" if name != "seed" else f"None or {kind} from 0 to 2**63 - 1"
    )
    right_type = isinstance(value, int) if whole else isinstance(value, int | float)
    if isinstance(value, bool) or not right_type:
        raise OptionError(f"{name}: got {_brief(value)}, expected {expected}")
    if not isinstance(value, int | float) or not lowest <= value <= highest:  # no comparison is true of NaN
        raise OptionError(f"{name}: got {_brief(value)}, expected {expected}")


def _brief(value: object) -> str:
    """A wrong value for a sentence, which must not grow with what was sent."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**64:
        return "a number of more than 64 bits"
    return f"{value!r:.60}" if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"


def _verify_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise OptionError(f"{name}: got {_brief(value)}, expected one of {', '.join(map(repr, choices))}")


def settled(options: GenerationOptions, fast: FastConfig | None) -> GenerationOptions:
    """The options with the steps and the guidance that `fast` stands for in a model, where they choose it.

    Raises `OptionError` for a model without few steps.
    """
    if options.scheduler != FAST:
        return options
    if fast is None:
        others = ", ".join(repr(name) for name in schedulers_of(fast))
        raise OptionError(f"scheduler: got {FAST!r} for a model without few steps, expected one of {others}")
    return replace(options, num_inference_steps=fast.num_inference_steps, guidance_scale=fast.guidance_scale)


def schedulers_of(fast: FastConfig | None) -> tuple[str, ...]:
    """The schedulers that a model can draw with."""
    return SCHEDULERS if fast else tuple(name for name in SCHEDULERS if name != FAST)


# what the official code samples and draws with (`MiniGPT5_Model.generate`); `max_new_tokens` is its default
OFFICIAL = GenerationOptions(
    temperature=1.0,
    top_p=0.9,
    top_k=50,
    repetition_penalty=2.0,
    max_new_tokens=256,
    guidance_scale=7.5,
    num_inference_steps=50,
    scheduler="pndm",
)
