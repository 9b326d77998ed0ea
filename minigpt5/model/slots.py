"""Keys and values of many sequences in one tensor a layer, each sequence in a slot of its own.

`DynamicCache` holds sequences of equal length; here each row of a pass stands at a position of its own. The tensors
never move or grow: a sequence that ends leaves its slot to another, and what it wrote there is masked and written over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import LlamaConfig


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A copy of the first positions of a slot."""

    keys: Tensor  # (layers,T,H,d)
    values: Tensor  # (layers,T,H,d)

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes + self.values.nbytes


class SlotCache:
    """`count` slots of `length` positions; `begin` a pass, hand the cache to the LLM, `end` the pass.

    A prefix (prefix tuning) lies before position 0 of each slot and is in none of the numbers here.
    """

    def __init__(
        self,
        config: LlamaConfig,
        count: int,
        length: int,
        *,
        device: torch.device,
        dtype: torch.dtype,
        prefix: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        """`prefix`: keys and values (layers,H,P,d) of virtual tokens before each sequence."""
        self.count = count
        self.length = length
        self.lengths = [0] * count
        self._before = 0 if prefix is None else prefix[0].shape[2]
        # one position more than may be used: what pads a short row of a pass is written there
        self._stride = self._before + length + 1
        heads, width = config.num_key_value_heads, config.head_dim
        shape = (config.num_hidden_layers, count, self._stride, heads, width)
        self._keys, self._values = (torch.zeros(shape, device=device, dtype=dtype) for _ in range(2))
        if prefix is not None:
            for tensor, given in zip((self._keys, self._values), prefix, strict=True):
                tensor[:, :, : self._before] = given.transpose(1, 2)[:, None].to(tensor)

    @property
    def nbytes(self) -> int:
        return self._keys.nbytes + self._values.nbytes

    def begin(self, rows: Sequence[int], width: int) -> tuple[Tensor, Tensor]:
        """A pass that reads `width` more positions of the slots `rows`: position_ids (B,width) and what is added to the
        attention's scores (B,1,width,longest), 0 or -inf."""
        device = self._keys.device
        starts = torch.tensor([self._before + self.lengths[row] for row in rows])[:, None]
        positions = (starts + torch.arange(width)).clamp_(max=self._stride - 1)  # (B,width)
        self._longest = int(positions.max()) + 1
        self._target = (torch.tensor(rows)[:, None] * self._stride + positions).flatten().to(device)
        first = rows[0]
        neighbours = list(rows) == list(range(first, first + len(rows)))
        # neighbours are read where they lie
        self._rows = slice(first, first + len(rows)) if neighbours else torch.tensor(rows, device=device)
        hidden = positions[:, :, None] < torch.arange(self._longest)  # (B,width,longest)
        mask = torch.zeros(hidden.shape, dtype=self._keys.dtype).masked_fill_(hidden, -torch.inf)
        return positions.to(device), mask[:, None].to(device)

    def update(self, keys: Tensor, values: Tensor, layer: int) -> tuple[Tensor, Tensor]:
        """transformers' name: keep keys and values (B,H,width,d) of this pass, give all (B,H,longest,d)."""
        return self._kept(self._keys[layer], keys), self._kept(self._values[layer], values)

    def _kept(self, layer: Tensor, new: Tensor) -> Tensor:
        layer.flatten(0, 1).index_copy_(0, self._target, new.transpose(1, 2).flatten(0, 1).to(layer.dtype))
        return layer[self._rows, : self._longest].transpose(1, 2)

    def end(self, rows: Sequence[int], counts: Sequence[int]) -> None:
        """Of the pass's positions the first `counts` of each row are real, the rest is forgotten."""
        for row, count in zip(rows, counts, strict=True):
            self.lengths[row] += count
            assert self.lengths[row] <= self.length, "a sequence is longer than its slot"

    def crop(self, row: int, length: int) -> None:
        """Forget what slot `row` holds beyond its first `length` positions."""
        assert 0 <= length <= self.lengths[row]
        self.lengths[row] = length

    def copy(self, row: int) -> Stretch:
        """What slot `row` holds."""
        held = slice(self._before, self._before + self.lengths[row])
        return Stretch(self._keys[:, row, held].clone(), self._values[:, row, held].clone())

    def put(self, row: int, stretch: Stretch, length: int) -> None:
        """Let slot `row` hold the first `length` positions of `stretch` and nothing else."""
        held = slice(self._before, self._before + length)
        self._keys[:, row, held] = stretch.keys[:, :length]
        self._values[:, row, held] = stretch.values[:, :length]
        self.lengths[row] = length

    def copy_beginning(self, source: int, row: int, length: int) -> None:
        """Let slot `row` hold the first `length` positions of slot `source` and nothing else."""
        held = slice(self._before, self._before + length)
        for tensor in (self._keys, self._values):
            tensor[:, row, held] = tensor[:, source, held]
        self.lengths[row] = length
