"""What a training leaves for people to look at: its curve as numbers and as a picture, grids of pictures."""

from __future__ import annotations

import csv
from pathlib import Path

import torch
from PIL import Image, ImageDraw


class Curve:
    """`curve.csv` of a run, or another table of it: a row every few steps."""

    def __init__(self, run: Path, first_step: int, name: str = "curve.csv") -> None:
        """Rows of `first_step` and later, left by a run that was cut off after its checkpoint, are dropped."""
        self.path = run / name
        self._write([row for row in self.rows(self.path) if int(row["step"]) < first_step])

    def add(self, step: int, seconds: float, values: dict[str, float]) -> None:
        """Append one row; rows from before have nothing in a column that is new."""
        row = {"step": str(step), "seconds": f"{seconds:.1f}", **{n: _number(v) for n, v in values.items()}}
        if new := [name for name in row if name not in self.names]:
            self._write(self.rows(self.path), (*self.names, *new))
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.names).writerow(row)

    @staticmethod
    def rows(path: Path) -> list[dict[str, str]]:
        """What stands in a table, nothing where there is none."""
        if not path.exists():
            return []
        with path.open(newline="") as file:
            return list(csv.DictReader(file))

    def _write(self, rows: list[dict[str, str]], names: tuple[str, ...] = ()) -> None:
        self.names = names or (tuple(rows[0]) if rows else ())
        partial = self.path.with_suffix(".partial")
        with partial.open("w", newline="") as file:
            if self.names:
                writer = csv.DictWriter(file, self.names, restval="")
                writer.writeheader()
                writer.writerows(rows)
        partial.replace(self.path)


def _number(value: float) -> str:
    return f"{value:.5f}" if abs(value) >= 1e-2 or value == 0 else f"{value:.4g}"


def plot_curve(run: Path, size: tuple[int, int] = (640, 320)) -> None:
    """Draw `curve.csv` as `curve.png`: the smoothed loss over steps, on a logarithmic scale."""
    with (run / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    values = torch.tensor([float(row["loss"]) for row in rows]).clamp(min=1e-6).log()
    if len(values) < 3:
        return
    width = max(1, len(values) // 100)
    smooth = values.unfold(0, width, 1).mean(-1)
    low, high = smooth.min(), smooth.max()
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    xs = torch.linspace(50, size[0] - 10, len(smooth))
    ys = size[1] - 30 - (smooth - low) / (high - low + 1e-9) * (size[1] - 50)
    draw.line(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill="#b5472f", width=2)
    draw.text((4, 16), f"{high.exp():.4f}", fill="black")
    draw.text((4, size[1] - 40), f"{low.exp():.4f}", fill="black")
    draw.text((50, size[1] - 20), f"{run.name}: loss over {rows[-1]['step']} steps", fill="black")
    picture.save(run / "curve.png")


def save_grid(pictures: list[Image.Image], path: Path, columns: int = 8) -> None:
    """Lay pictures of one size out in a grid and save it."""
    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    grid = Image.new("RGB", (min(columns, len(pictures)) * width, rows * height), "white")
    for index, picture in enumerate(pictures):
        grid.paste(picture, (index % columns * width, index // columns * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    grid.save(path)
