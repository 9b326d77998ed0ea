"""Our format: one folder a model, safetensors only.

    config.json  tokenizer.json  manifest.json              every number, the noise schedule too; the words; sums
    vision.safetensors  language.safetensors  mapper.safetensors  unet.safetensors  vae.safetensors

Our own weights are stored in float16 (a tensor that float16 cannot hold stays float32), converted ones as the
converter was told. A large part is cut into `unet-1-of-3.safetensors` ... . A tensor that two names share is
stored once. Loading is strict: a key too many, too few or of another shape is a `CheckpointError` that lists
them. An optional part, `lora.safetensors`, holds adapters that are merged into the LLM when it is loaded.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from minigpt5.checkpoint.progress import Counted
from minigpt5.errors import CheckpointError
from minigpt5.vokens import NUM_VOKENS, control_tokens

MAX_FILE_BYTES = 16 * 2**20
TOKENIZER_NAME = "tokenizer.json"
LISTED = 8  # how many keys an error names

Shape = tuple[int, ...] | None
Shapes = dict[str, Shape]  # by key
Change = Callable[[Tensor], Tensor]  # of stored numbers, on their way into a model


def save_part(folder: Path, part: str, module: nn.Module) -> None:
    """Write the weights of `module` as part `part`, replacing what was there."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in files_of(folder, part):
        old.unlink()
    shards = list(_shards(_stored_tensors(module)))
    for number, tensors in enumerate(shards, start=1):
        name = part if len(shards) == 1 else f"{part}-{number}-of-{len(shards)}"
        write_tensors(folder / f"{name}.safetensors", tensors)


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a safetensors file that others may read as the umask says; the library's own are for their owner alone."""
    path.touch()
    mode = path.stat().st_mode
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(mode)


def load_part(
    folder: Path,
    part: str,
    module: nn.Module,
    changes: Mapping[str, Change] | None = None,
    counted: Counted | None = None,
) -> None:
    """Fill `module` with part `part`, tensor by tensor; the values take the module's precision.

    Tensors of `module` that are on the meta device come into being here. `changes` are applied to the stored
    values of the keys they name; `counted` is told the bytes that have come. Raises `CheckpointError`.
    """
    files = complete_files(folder, part)
    verify_keys(stored_shapes(files), module, f"{folder.name}/{part}.safetensors")
    names = sharing_names(module)
    for path in files:
        for key, tensor in read_tensors(path):
            value = changes[key](tensor) if changes and key in changes else tensor
            for name in names[key]:
                put(module, name, value)
            if counted:
                counted.add(tensor.nbytes)


def has_part(folder: Path, part: str) -> bool:
    """Whether the folder holds this optional part."""
    return bool(files_of(folder, part))


def read_part(folder: Path, part: str) -> dict[str, Tensor]:
    """All tensors of a small part by name; raises `CheckpointError`."""
    return {key: tensor for path in complete_files(folder, part) for key, tensor in read_tensors(path)}


def sharing_names(module: nn.Module) -> dict[str, list[str]]:
    """For each name of a tensor all names of the same one, itself first."""
    groups: dict[int, list[str]] = {}
    tensors = module.state_dict(keep_vars=True)
    for name, tensor in tensors.items():
        groups.setdefault(id(tensor), []).append(name)
    return {name: groups[id(tensor)] for name, tensor in tensors.items()}


@torch.no_grad()
def put(module: nn.Module, name: str, value: Tensor, *, copy: bool = False) -> None:
    """Give a tensor of `module` its numbers; one on the meta device comes into being, in its own precision.

    Without `copy` numbers may stay those of a file that is mapped into memory, where all stays that has been read.
    """
    place, _, leaf = name.rpartition(".")
    owner = module.get_submodule(place)
    old = getattr(owner, leaf)
    if not old.is_meta:
        old.copy_(value)
        return
    new = value.to(old.dtype, copy=copy)
    is_parameter = isinstance(old, nn.Parameter)
    setattr(owner, leaf, nn.Parameter(new, requires_grad=old.requires_grad) if is_parameter else new)


def save_tokenizer(folder: Path, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write `tokenizer.json`; the other tokenizer files hold nothing that is not in it."""
    tokenizer.backend_tokenizer.save(str(folder / TOKENIZER_NAME))


def load_tokenizer(folder: Path, num_vokens: int = NUM_VOKENS) -> PreTrainedTokenizerFast:
    """The tokenizer of `folder`. Raises `CheckpointError` if it lacks a control token or reads one out of
    plain text."""
    path = folder / TOKENIZER_NAME
    if not path.is_file():
        raise CheckpointError(f"{path}: got no such file, expected the tokenizer")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(path),
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        clean_up_tokenization_spaces=False,
    )
    known = tokenizer.get_vocab()
    control = ["<s>", "</s>", "<unk>", *control_tokens(num_vokens)]
    if missing := [token for token in control if token not in known]:
        raise CheckpointError(f"{path}: got no token {listed(missing)}, expected it in the vocabulary")
    verify_plain_text(tokenizer, path, num_vokens)
    return tokenizer


def verify_plain_text(tokenizer: PreTrainedTokenizerBase, path: Path, num_vokens: int = NUM_VOKENS) -> None:
    """Raise `CheckpointError` unless control tokens that a user types are encoded as ordinary letters."""
    tokens = (*control_tokens(num_vokens), "<s>", "</s>")
    control = {tokenizer.convert_tokens_to_ids(token) for token in tokens}
    for token in tokens:
        ids = tokenizer.encode(f"a {token} b{token}", add_special_tokens=False, split_special_tokens=True)
        if control & set(ids):
            raise CheckpointError(
                f"{path}: got {token} as a control token out of plain text, expected letters"
            )


def _stored_tensors(module: nn.Module) -> dict[str, Tensor]:
    stored: dict[str, Tensor] = {}
    seen: set[tuple[int, tuple[int, ...]]] = set()
    for key, tensor in module.state_dict().items():
        place = (tensor.data_ptr(), tuple(tensor.shape))
        if place in seen and tensor.numel():
            continue
        seen.add(place)
        stored[key] = halved(tensor.detach().cpu()).contiguous().clone()
    return stored


def halved(tensor: Tensor) -> Tensor:
    """In float16 where that can hold it, else in float32; what is not floating stays."""
    if not tensor.is_floating_point():
        return tensor
    half = tensor.to(torch.float16)
    return half if is_finite(half) else tensor.float()


def _shards(tensors: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    shard: dict[str, Tensor] = {}
    size = 0
    for key, tensor in tensors.items():
        bytes_ = tensor.numel() * tensor.element_size()
        if shard and size + bytes_ > MAX_FILE_BYTES * 0.99:  # the rest is the file's header
            yield shard
            shard, size = {}, 0
        shard[key] = tensor
        size += bytes_
    yield shard


def files_of(folder: Path, part: str) -> list[Path]:
    """The files of a part, one or a run of numbered ones."""
    name = re.compile(re.escape(part) + r"(-\d+-of-\d+)?\.safetensors")
    return sorted(path for path in folder.glob(f"{part}*.safetensors") if name.fullmatch(path.name))


def complete_files(folder: Path, part: str) -> list[Path]:
    """The files of a part; raises `CheckpointError` unless it is one whole file or a whole run of numbered
    ones."""
    files = files_of(folder, part)
    if not files:
        raise CheckpointError(
            f"{folder / part}.safetensors: got no such file, expected the weights of this part"
        )
    if len(files) == 1 and files[0].stem == part:
        return files
    count = re.sub(r".*-of-", "", files[0].stem)
    expected = {
        f"{part}-{number}-of-{count}.safetensors"
        for number in range(1, int(count or 0) + 1)
        if count.isdigit()
    }
    if (got := {path.name for path in files}) != expected:
        raise CheckpointError(f"{folder}: got {sorted(got)}, expected {sorted(expected)}")
    return files


def read_tensors(path: Path) -> Iterator[tuple[str, Tensor]]:
    """The tensors of a file one by one, mapped into memory; raises `CheckpointError`."""
    try:
        with safe_open(path, "pt") as file:
            for key in file.keys():  # noqa: SIM118
                tensor = file.get_tensor(key)
                if not is_finite(tensor):
                    raise CheckpointError(
                        f"{path}: got NaN or infinite numbers in {key}, expected finite ones"
                    )
                yield key, tensor
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: got a damaged file ({error}), expected safetensors") from error


def is_finite(tensor: Tensor) -> bool:
    """Whether no number is NaN or infinite; the extremes tell, twenty times faster than looking at each."""
    return not tensor.numel() or all(bool(extreme.isfinite()) for extreme in tensor.aminmax())


def stored_shapes(files: list[Path]) -> Shapes:
    """The shapes of all tensors in these files by key; raises `CheckpointError`."""
    return {key: shape for path in files for key, shape in _shapes(path).items()}


def _shapes(path: Path) -> Shapes:
    try:
        with safe_open(path, "pt") as file:
            return {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: got a damaged file ({error}), expected safetensors") from error


def verify_keys(shapes: Mapping[str, Shape], module: nn.Module, name: str) -> None:
    """Raise `CheckpointError` that lists what is missing, unexpected or of another shape in the file `name`."""
    verify_shapes(shapes, expected_shapes(module), sharing_names(module), name)


def expected_shapes(module: nn.Module) -> Shapes:
    """The shapes of all tensors of `module` by key."""
    return {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}


def verify_shapes(
    shapes: Mapping[str, Shape], expected: Shapes, names: Mapping[str, list[str]], name: str
) -> None:
    """`verify_keys` for what is not all in one module; `names` tells which keys share a tensor.

    An expected shape of None may be any.
    """
    missing = [key for key in expected if not any(other in shapes for other in names.get(key, [key]))]
    unexpected = [key for key in shapes if key not in expected]
    misshapen = [
        f"{key} (got {shape}, expected {expected[key]})"
        for key, shape in shapes.items()
        if expected.get(key) is not None and shape != expected[key]
    ]
    found = {"missing": missing, "unexpected": unexpected, "misshapen": misshapen}
    if problems := [f"{len(keys)} {kind}: {listed(keys)}" for kind, keys in found.items() if keys]:
        raise CheckpointError(
            f"{name}: got {len(shapes)} tensors, expected {len(expected)}; {'; '.join(problems)}"
        )


def listed(keys: list[str]) -> str:
    """The first few of `keys`, and how many more there are."""
    more = f" and {len(keys) - LISTED} more" if len(keys) > LISTED else ""
    return ", ".join(keys[:LISTED]) + more
