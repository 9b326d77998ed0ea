"""What the steps of `storybook` train and how long, as data: the shipped model's recipe, and the next one's.

Called by `storybook`, `ablations` and the command line; knows no weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from minigpt5.config import ModelConfig
from minigpt5.data.storybook.worlds import SHIPPED, World
from minigpt5.data.storybook.worlds import WIDE as WIDE_WORLD
from minigpt5.training.distil import Distillation
from minigpt5.training.pictures import EARLY_SHARE
from minigpt5.training.stages import MLS, UAS
from minigpt5.training.storybook_config import STORYBOOK, WIDE
from minigpt5.training.trainer import Schedule

LATENT_COUNT = 16_000
STATE_COUNT = 40_960
DRAWINGS = 8_192  # of the UNet that the one for few steps learns from
FEW_STEPS = Distillation(guidance_scale=3.0, times=12)

# The paper's second stage has neither captions nor a heavier text loss. Here every drawn scene knows its caption,
# whose features are a target that needs no pass through the UNet; a bet for short trainings, not compared with MLS.
STORYBOOK_MLS = replace(
    MLS,
    text_weight=0.1,
    caption_weight=0.5,
    drawn_limit=6,
    early_share=EARLY_SHARE,
    sampled_latents=False,
)
STORYBOOK_UAS = replace(UAS, faster=(), drawn_limit=8, early_share=EARLY_SHARE, sampled_latents=False)


@dataclass(frozen=True)
class StorybookRecipe:
    """A world, the model's sizes, and the steps in their order with their schedules."""

    world: World
    config: ModelConfig
    schedules: Mapping[str, Schedule]

    @property
    def vocabulary(self) -> int:
        """How many tokens there are without the control tokens."""
        size: int = self.config.text_encoder["vocab_size"]
        return size


SHIPPED_RECIPE = StorybookRecipe(
    SHIPPED,
    STORYBOOK,
    {
        "vae": Schedule(
            steps=800, batch_size=8, lr=1e-3, muon_lr=15e-3, warmup=20, average=0.98, save_every=50
        ),
        "grow": Schedule(
            steps=4000, batch_size=4, lr=1e-3, muon_lr=1e-2, warmup=20, average=0.995, save_every=200
        ),
        "painter": Schedule(steps=820, batch_size=48, lr=1e-3, muon_lr=1e-2, average=0.995, save_every=100),
        "polish": Schedule(
            steps=1850, batch_size=48, lr=8e-4, muon_lr=6e-3, warmup=30, average=0.995, save_every=100
        ),
        "words": Schedule(steps=2400, batch_size=10, lr=2e-3, muon_lr=1e-2, average=0.995, save_every=100),
        "eyes": Schedule(steps=1300, batch_size=32, lr=1e-3, muon_lr=1e-2, average=0.99, save_every=100),
        "sight": Schedule(steps=600, batch_size=32, lr=5e-4, muon_lr=3e-3, average=0.98, save_every=100),
        "uas": Schedule(steps=800, batch_size=48, lr=2e-3, muon_lr=5e-3, average=0.995, save_every=100),
        "mls": Schedule(steps=1000, batch_size=20, lr=1e-3, average=0.99, save_every=100),
        "mapper": Schedule(
            steps=1200, batch_size=64, lr=1.5e-3, muon_lr=5e-3, warmup=30, average=0.99, save_every=50
        ),
        "details": Schedule(
            steps=4200, batch_size=3, lr=5e-4, muon_lr=6e-3, warmup=20, average=0.995, save_every=200
        ),
    },
)
WIDE_RECIPE = StorybookRecipe(
    WIDE_WORLD,
    WIDE,
    {
        **SHIPPED_RECIPE.schedules,
        "painter": Schedule(steps=2500, batch_size=64, lr=1e-3, muon_lr=1e-2, average=0.995, save_every=100),
        "words": Schedule(steps=8000, batch_size=4, lr=1.4e-3, muon_lr=7e-3, average=0.995, save_every=200),
        "distil": Schedule(
            steps=2000, batch_size=48, lr=2e-4, muon_lr=1e-3, warmup=30, average=0.98, save_every=100
        ),
    },
)
