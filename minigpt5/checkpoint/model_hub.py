"""Model folders of ours on a hub: found there by `owner/name` when they are loaded, put there by `python -m minigpt5 push`.

A repository holds the files of one folder at its top, and a model card. What is fetched is verified by the digests that
the hub tells, and stays in a cache; without a network a folder that was fetched before is used as it is.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_url
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import build_hf_headers

from minigpt5.checkpoint.hub import digest_of
from minigpt5.checkpoint.manifest import MANIFEST_NAME, PARTS, verify_manifest
from minigpt5.checkpoint.progress import Counted, Progress
from minigpt5.checkpoint.quantize import stored_quantization
from minigpt5.checkpoint.store import TOKENIZER_NAME, files_of
from minigpt5.checkpoint.transfer import FAILURES, HEAD_SECONDS, PLAIN, RemoteFile, bytes_left, fetch, reason
from minigpt5.config import CONFIG_NAME, ModelConfig
from minigpt5.errors import CheckpointError, OptionError

NAME = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
SETTINGS = (CONFIG_NAME, TOKENIZER_NAME, MANIFEST_NAME)
RECORD = "recipe.json"  # what a training writes beside its checkpoints, see `training.finetune`
CARD = "README.md"
WEIGHTS = "weights"  # the folder of this project's own models: never an owner on the hub
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Push:
    """What would be uploaded: the files of a folder, and the card that tells of them."""

    repo: str
    files: tuple[Path, ...]
    card: str

    @property
    def summary(self) -> str:
        """The files with their sizes, and the card, for people."""
        sizes = [f"  {path.name:40} {path.stat().st_size / 1e6:10.1f} MB" for path in self.files]
        return "\n".join(
            [f"{self.repo}:", *sizes, f"  {CARD}:", *(f"    {line}" for line in self.card.splitlines())]
        )


def find_model(
    name: str | Path,
    *,
    endpoint: str | None = None,
    report: Report = lambda line: None,
    progress: Progress | None = None,
) -> Path:
    """The folder of a model: `name` itself where it is one; else, for `weights/...`, where this program is installed from
    or in the user's data folder; else the hub's `owner/name`. What is found elsewhere or fetched is reported.

    Raises `CheckpointError` for a repository that cannot be had; another `name` comes back as it is.
    """
    path = Path(name)
    if path.is_dir() or not NAME.fullmatch(str(name)):
        return path
    if path.parts[0] == WEIGHTS:
        found = next((place / path for place in _places() if (place / path).is_dir()), path)
        if found is not path:
            report(f"{name}: found in {found}")
        return found
    return fetch_model(str(name), _user_cache(), endpoint=endpoint, report=report, progress=progress)


def _places() -> tuple[Path, Path]:
    """Where weights lie that are not in the present folder: beside the code (a checkout), and with the user's data."""
    return Path(__file__).parents[2], platformdirs.user_data_path("minigpt5", appauthor=False)


def _user_cache() -> Path:
    return platformdirs.user_cache_path("minigpt5", appauthor=False) / "hub"


def fetch_model(
    repo: str,
    cache: Path,
    *,
    endpoint: str | None = None,
    report: Report = lambda line: None,
    progress: Progress | None = None,
) -> Path:
    """The folder of the model `owner/name`, fetched into `cache` where it is not there yet; raises `CheckpointError`."""
    folder = cache / repo.replace("/", "--")
    try:
        info = HfApi(endpoint=endpoint).model_info(repo, files_metadata=True, timeout=HEAD_SECONDS)
    except (*FAILURES, HFValidationError) as error:
        if (folder / MANIFEST_NAME).is_file():
            report(f"{repo}: got {reason(error)}; {folder}, fetched before, is used")
            return folder
        raise CheckpointError(
            f"{repo}: got {reason(error)}, expected a hub repository or a folder"
        ) from error
    files = []
    for item in info.siblings or []:
        if "/" in item.rfilename or not item.rfilename.endswith((".json", ".safetensors")):
            continue
        url = hf_hub_url(repo, item.rfilename, revision=info.sha, endpoint=endpoint)
        headers = {**build_hf_headers(), **PLAIN}
        files.append(RemoteFile(url, folder / item.rfilename, item.size or 0, digest_of(item), headers))
    names = {file.path.name for file in files}
    if missing := [name for name in SETTINGS if name not in names]:
        raise CheckpointError(
            f"{repo}: got no {missing[0]}, expected a repository with a model folder of ours"
        )
    counted = Counted(progress, sum(map(bytes_left, files)), "downloading")
    for file in sorted(files, key=lambda file: file.path.name == MANIFEST_NAME):  # last: then all is there
        left = bytes_left(file)
        if left:
            report(f"{repo}: fetching {file.path.name}")
        fetch(file)
        counted.add(left)
    return folder


def prepare_push(folder: Path, repo: str, record: Path | None = None) -> Push:
    """The files of a model folder and its card; `record` is the `recipe.json` of its training, if it had one.

    Raises `OptionError` for a name that is none, `CheckpointError` for a folder that is not whole.
    """
    if not NAME.fullmatch(repo):
        raise OptionError(f"push: got {repo!r}, expected OWNER/NAME")
    config = ModelConfig.load(folder)
    verify_manifest(folder)
    weights = [path for part in (*PARTS, "text_encoder") for path in files_of(folder, part)]
    facts = _record(record) if record else {}
    files = (*(folder / name for name in SETTINGS), *weights)
    return Push(repo, files, card_of(config, repo, stored_quantization(folder), facts))


def push(
    prepared: Push, *, private: bool = True, endpoint: str | None = None, token: str | None = None
) -> str:
    """Upload all in one commit, to a new repository or over an older state; the address. Raises `CheckpointError`."""
    api = HfApi(endpoint=endpoint, token=token)
    added = [CommitOperationAdd(path.name, path) for path in prepared.files]
    added.append(CommitOperationAdd(CARD, prepared.card.encode()))
    try:
        api.create_repo(prepared.repo, private=private, exist_ok=True)
        commit = api.create_commit(prepared.repo, added, commit_message="Model folder")
    except (*FAILURES, HFValidationError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{prepared.repo}: got {reason(error)}, expected to be able to write there (`hf auth login`)"
        ) from error
    return str(commit.commit_url)


def card_of(config: ModelConfig, repo: str, quantization: str | None, facts: dict[str, Any]) -> str:
    """The model card: front matter, what it is, how to load it, and what its training recorded; no figure besides."""
    stored = f", the LLM's blocks stored in {quantization}" if quantization else ""
    told = [f"| {name} | {value} |" for name, value in facts.items()]
    return "\n".join(
        [
            "---",
            "library_name: minigpt5",
            "pipeline_tag: any-to-any",
            "tags: [minigpt5, interleaved-generation]",
            "---",
            f"# {repo.partition('/')[2]}",
            "",
            f"A MiniGPT-5 model folder (`{config.name}`): it answers with words and pictures of {config.image_size} pixels,"
            f" {config.mapper.num_vokens} vokens each, in a context of {config.context_length} tokens{stored}.",
            "",
            *([f"It knows {config.knows}.", ""] if config.knows else []),
            "```python",
            "import minigpt5",
            "",
            f'engine = minigpt5.load("{repo}")',
            "```",
            "",
            *(["## Training", "", "| | |", "|---|---|", *told, ""] if told else []),
        ]
    )


def _record(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((path / RECORD if path.is_dir() else path).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path}: got no readable record ({error}), expected a training's {RECORD}"
        ) from error
