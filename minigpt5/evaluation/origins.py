"""What made the replies and figures in a folder, kept beside them: those of two models, or of other options, are
never mixed.

    made_by.json    {system: {"model": ..., "quantization": ..., "guidance_scale": ...}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from minigpt5.checkpoint.fingerprint import Facts, differences, model_digest, plain
from minigpt5.errors import OptionError
from minigpt5.evaluation.systems import System
from minigpt5.generation.engine import Engine

MADE_BY = "made_by.json"
Origins = Mapping[str, Facts]  # by system


def facts_of(engine: Engine, folder: Path) -> Facts:
    """Which model answers, and in which precision."""
    names = ("quantization", "dtype")
    known = {name: engine.description[name] for name in names if name in engine.description}
    return {"model": f"{folder.name} {model_digest(folder)}", **known}


def origins_of(systems: Mapping[str, System], shared: Facts) -> dict[str, Facts]:
    """By system `shared`, the way in which it answers and its options."""
    return {
        name: {**shared, "way": type(system).__name__, **asdict(system.options)}
        for name, system in systems.items()
    }


def keep_apart(folder: Path, name: str, facts: Facts, begun: bool) -> None:
    """Note that what `name` has in `folder` is made by `facts`.

    Raises `OptionError` when something is there already (`begun`) that was made in another way, or nobody knows how.
    """
    path = folder / MADE_BY
    known = json.loads(path.read_text()) if path.exists() else {}
    if begun and name not in known:
        raise OptionError(
            f"{folder}: got results of {name} without a word on what made them, expected an empty folder"
        )
    if begun and (other := differences(facts, known[name])):
        raise OptionError(f"{folder}: got results of another {name} ({other}), expected an empty folder")
    path.write_text(json.dumps({**known, name: plain(facts)}, indent=2) + "\n")
