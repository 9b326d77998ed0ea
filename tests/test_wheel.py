"""What `pip install .` brings: the code and the files that it reads, two commands, no weights."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("minigpt5", "demo", "app.py", "pyproject.toml", "README.md", "LICENSE", "NOTICE", "requirements.txt")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Built of a copy, since setuptools leaves its work beside the sources; with the weights beside, as in a checkout."""
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("sources")
    for name in PARTS:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / "weights/storybook").mkdir(parents=True)
    (folder / "weights/storybook/unet.safetensors").write_bytes(b"0")
    build = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    subprocess.run(
        [sys.executable, "-c", build], cwd=folder, env=environment, check=True, capture_output=True
    )
    (path,) = (folder / "dist").glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_the_code_and_its_files_and_no_weights(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    sources = [*ROOT.glob("minigpt5/**/*.py"), *ROOT.glob("demo/**/*.py"), ROOT / "app.py"]
    sources += [ROOT / "minigpt5/py.typed", *ROOT.glob("minigpt5/data/storybook/bank/*.toml")]
    missing = {str(path.relative_to(ROOT)) for path in sources} - names
    assert not missing
    assert not [
        name for name in names if name.endswith((".safetensors", ".pt", ".bin")) or "weights/" in name
    ]


def test_the_wheel_names_its_commands_and_what_they_need(wheel: zipfile.ZipFile) -> None:
    told = {name.rpartition("/")[2]: name for name in wheel.namelist() if ".dist-info/" in name}
    commands = wheel.read(told["entry_points.txt"]).decode()
    assert "minigpt5 = minigpt5.__main__:main" in commands
    assert "minigpt5-demo = app:main" in commands
    needs = wheel.read(told["METADATA"]).decode()
    pins = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    assert all(f"Requires-Dist: {pin}" in needs for pin in pins)
    for extra in ("data", "train", "serve", "gpu"):
        assert f"Provides-Extra: {extra}" in needs
