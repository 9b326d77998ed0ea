"""The files of a preset from the network -> a model folder: `python -m minigpt5 download`.

Every source is looked up first, at the first of its addresses that answers, so that the disk space can be verified
before a byte is transferred. A transfer that fails goes on to the next address. Only what `convert` reads is
fetched, and each file is verified by its size and digest (see `transfer`).
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import torch
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import HFValidationError
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils import build_hf_headers

from minigpt5.checkpoint.convert import Sources, convert
from minigpt5.checkpoint.presets import PRESETS, Wanted
from minigpt5.checkpoint.progress import Progress
from minigpt5.checkpoint.transfer import (
    FAILURES,
    HEAD_SECONDS,
    PLAIN,
    RemoteFile,
    bytes_left,
    fetch,
    free_bytes,
    look_up,
    reason,
)
from minigpt5.checkpoint.weight_files import weights_among
from minigpt5.config import ModelConfig
from minigpt5.errors import CheckpointError, OptionError

REPOSITORY = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(:(?P<file>[^:]+))?")
Wish = tuple[Wanted, tuple[str, ...]]  # a source and the addresses to try for it
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Located:
    """A source that was found: where it will lie, its files, and the addresses not yet tried."""

    path: Path
    files: tuple[RemoteFile, ...]
    rest: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def download(
    preset: str,
    out: Path,
    *,
    cache: Path,
    given: Mapping[str, str] | None = None,
    dtype: torch.dtype | None = None,
    vit_heads: int | None = None,
    qformer_heads: int | None = None,
    endpoint: str | None = None,
    report: Report = lambda line: None,
    progress: Progress | None = None,
) -> ModelConfig:
    """Fetch the sources of `preset` into `cache` and convert them to the new model folder `out`.

    `given` overrides sources by name (`llm`, `vit`, ...) with a path, which is used as it is, or an address as in
    `presets`. `dtype`, `vit_heads` and `qformer_heads` are `convert`'s; `endpoint` None is the hub's own. Raises
    `OptionError` for an unknown preset or source, `CheckpointError` for what cannot be had.
    """
    sources = _sources(preset, given or {})
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CheckpointError(
            f"{out}: got something that is already there, expected the name of a new folder"
        )
    shelf = Shelf(cache, endpoint)
    located = {name: shelf.locate(name, *wish) for name, wish in sources.items()}
    verify_space(list(located.values()), cache, out)
    paths = {}
    for name, (wanted, _) in sources.items():
        report(f"{name}: {located[name].path}")
        paths[name] = shelf.fetch(name, wanted, located[name])
    return convert(
        Sources(**paths),
        out,
        dtype=dtype,
        vit_heads=vit_heads,
        qformer_heads=qformer_heads,
        report=report,
        progress=progress,
    )


def verify_space(located: list[Located], cache: Path, out: Path) -> None:
    """Raise `CheckpointError` unless the disks have room for what is still to come and for the model.

    The model is counted as large as its sources: it is a little smaller, since not all of theirs is used.
    """
    transfers = sum(bytes_left(file) for source in located for file in source.files)
    model = sum(_bytes_of(source) for source in located)
    (cache_disk, cache_free), (out_disk, out_free) = free_bytes(cache), free_bytes(out)
    same = cache_disk == out_disk
    needs = [(cache, cache_free, transfers + (model if same else 0)), (out, out_free, 0 if same else model)]
    for folder, free, needed in needs:
        if free < needed:
            raise CheckpointError(
                f"{folder}: got {free / 1e9:.2f} GB of free disk space, expected at least {needed / 1e9:.2f} GB"
                f" ({transfers / 1e9:.2f} GB of downloads, {model / 1e9:.2f} GB for the model)"
            )


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder where downloads lie, a folder an origin, and the hub that they come from."""

    cache: Path
    endpoint: str | None

    def locate(
        self, name: str, wanted: Wanted, addresses: tuple[str, ...], failures: tuple[str, ...] = ()
    ) -> Located:
        """The source at the first address that answers; raises `CheckpointError` naming all that were tried."""
        for number, address in enumerate(addresses, start=1):
            try:
                path, files = self._look_up(wanted, address)
            except CheckpointError as error:
                failures = (*failures, str(error))
                continue
            return Located(path, files, addresses[number:], failures)
        raise CheckpointError(_exhausted(name, wanted, failures))

    def fetch(self, name: str, wanted: Wanted, located: Located) -> Path:
        """The source on the disk, from the next address where one fails; raises `CheckpointError`."""
        while True:
            try:
                for file in located.files:
                    fetch(file)
                return located.path
            except CheckpointError as error:
                failures = (*located.failures, str(error))
            if not located.rest:
                raise CheckpointError(_exhausted(name, wanted, failures))
            located = self.locate(name, wanted, located.rest, failures)

    def _look_up(self, wanted: Wanted, address: str) -> tuple[Path, tuple[RemoteFile, ...]]:
        if address.startswith(("http://", "https://")):
            if not wanted.file:
                raise CheckpointError(
                    f"{address}: got the URL of one file, expected a repository or a folder"
                )
            stamp = hashlib.sha256(address.encode()).hexdigest()[:8]  # two URLs, two places
            path = self.cache / str(urlsplit(address).hostname) / stamp / wanted.file
            return path, (look_up(address, path),)
        if Path(address).exists():
            return Path(address), ()
        found = REPOSITORY.fullmatch(address)
        if found is None:
            raise CheckpointError(
                f"{address}: got no such path, expected a path, owner/name, owner/name:file or a URL"
            )
        return self._repository(wanted, found["repo"], found["file"])

    def _repository(self, wanted: Wanted, repo: str, file: str | None) -> tuple[Path, tuple[RemoteFile, ...]]:
        try:
            info = HfApi(endpoint=self.endpoint).model_info(repo, files_metadata=True, timeout=HEAD_SECONDS)
        except (*FAILURES, HFValidationError) as error:
            raise CheckpointError(f"{repo}: got {reason(error)}, expected a hub repository") from error
        there = {item.rfilename: item for item in info.siblings or []}
        names = [file or wanted.file] if wanted.file else select(wanted, list(there), repo)
        folder, headers = self.cache / repo.replace("/", "--"), {**build_hf_headers(), **PLAIN}
        files = []
        for name in names:
            if name not in there or there[name].size is None:
                raise CheckpointError(f"{repo}: got no {name}, expected it in the repository")
            url = hf_hub_url(repo, name, revision=info.sha, endpoint=self.endpoint)
            item = there[name]
            files.append(RemoteFile(url, folder / name, item.size or 0, digest_of(item), headers))
        return (folder / names[0] if wanted.file else folder), tuple(files)


def select(wanted: Wanted, there: list[str], repo: str) -> list[str]:
    """Of a repository's files those that `convert` reads; raises `CheckpointError` for what it lacks."""
    chosen = [*wanted.required, *(name for name in wanted.optional if name in there)]
    for folder in wanted.weights:
        inside = {PurePosixPath(name).name: name for name in there if _folder_of(name) == folder}
        weights = weights_among(list(inside))
        if not weights:
            raise CheckpointError(f"{repo}: got no weights in {folder or 'its top folder'}, expected some")
        chosen += [inside[name] for name in weights]
    return chosen


def _sources(preset: str, given: Mapping[str, str]) -> dict[str, Wish]:
    """Each source with the addresses to try for it."""
    if preset not in PRESETS:
        raise OptionError(f"preset: got {preset!r}, expected one of {', '.join(PRESETS)}")
    wanted = PRESETS[preset]
    if unknown := sorted(set(given) - set(wanted)):
        raise OptionError(f"--{unknown[0]}: got it for {preset}, expected one of {', '.join(wanted)}")
    return {
        name: (item, (given[name],) if name in given else item.addresses) for name, item in wanted.items()
    }


def _exhausted(name: str, wanted: Wanted, failures: tuple[str, ...]) -> str:
    by_hand = f"; a browser gets it from {wanted.by_hand}" if wanted.by_hand else ""
    if len(failures) == 1:
        return f"{failures[0]} (--{name} takes another address or a path{by_hand})"
    return f"--{name}: got {'; '.join(failures)}; expected one of them to work, or another address or a path{by_hand}"


def _bytes_of(source: Located) -> int:
    if source.files:
        return sum(file.size for file in source.files)
    inside = source.path.rglob("*") if source.path.is_dir() else [source.path]
    return sum(path.stat().st_size for path in inside if path.is_file())


def digest_of(item: RepoSibling) -> tuple[str, str] | None:
    """The digest that the hub tells of a file: its kind and the hex digits."""
    if item.lfs:
        return "sha256", item.lfs.sha256
    return ("sha1", item.blob_id) if item.blob_id else None


def _folder_of(name: str) -> str:
    folder = str(PurePosixPath(name).parent)
    return "" if folder == "." else folder
