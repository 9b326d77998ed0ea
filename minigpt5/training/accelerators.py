"""What accelerate would take and then fail at, or leave out without a word, refused before anything is loaded."""

from __future__ import annotations

from accelerate import FullyShardedDataParallelPlugin
from accelerate.tracking import get_available_trackers
from accelerate.utils import parse_flag_from_env

from minigpt5.errors import TrainingError


def verify_sharding() -> None:
    """Raise `TrainingError` where the processes are to shard the model as FSDP1 does.

    FSDP1 joins all parameters of a unit into one flat one, which has one precision and is trained whole or not at
    all; here float32 parameters that are trained lie beside frozen ones of half precision. FSDP2 shards each
    parameter by itself.
    """
    if not parse_flag_from_env("ACCELERATE_USE_FSDP"):
        return
    version = FullyShardedDataParallelPlugin().fsdp_version
    if version != 2:
        raise TrainingError(
            f"fsdp: got version {version}, expected 2 (`fsdp_version: 2` in accelerate's configuration or "
            "`accelerate launch --fsdp_version 2`): FSDP1 cannot hold trained float32 weights beside frozen ones of "
            "half precision"
        )


def verify_trackers(names: tuple[str, ...]) -> None:
    """Raise `TrainingError` where the package of a tracker is not there; accelerate would leave it out."""
    available = [str(getattr(tracker, "value", tracker)) for tracker in get_available_trackers()]
    if missing := [name for name in names if name not in available]:
        raise TrainingError(
            f"{missing[0]}: got no such package, expected it for its logs: pip install {missing[0]}"
        )
