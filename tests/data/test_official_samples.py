"""The readers' samples are the official ones, id for id and label for label (`official/datasets.json`)."""

from pathlib import Path

import pytest
from official_data import DATASETS as OFFICIAL
from official_data import write_cc3m, write_mmdialog, write_vist
from official_files import OFFICIAL_FILES
from transformers import PreTrainedTokenizerFast

from minigpt5.checkpoint.vicuna_tokenizer import convert_tokenizer
from minigpt5.data.cc3m import clean_caption, read_cc3m
from minigpt5.data.mmdialog import read_mmdialog
from minigpt5.data.samples import Sample, Samples
from minigpt5.data.vist import read_vist
from minigpt5.prompt import IGNORED

SEED = 3  # of the official run


@pytest.fixture(scope="module")
def vicuna() -> PreTrainedTokenizerFast:
    return convert_tokenizer(OFFICIAL_FILES / "vicuna-7b")


def read(name: str, folder: Path) -> Samples:
    kind, _, part = name.partition("-")
    if kind == "CC3M":
        return read_cc3m(write_cc3m(folder), test=part == "test", seed=SEED)
    if kind == "VIST":
        return read_vist(write_vist(folder), test=part == "test", seed=SEED)
    return read_mmdialog(write_mmdialog(folder), test=part == "test")


def assert_is(sample: Sample, official: dict[str, object], tokenizer, folder: Path) -> None:
    encoded = sample.encode(tokenizer)
    assert encoded.input_ids == [tokenizer.bos_token_id, *official["input_ids"]]
    assert encoded.labels == [IGNORED, *official["labels"]]
    seen = [str(picture.path.relative_to(folder)) for picture in encoded.images]
    assert seen == [name for name in official["input_images"] if name]
    assert [str(p.path.relative_to(folder)) for p in encoded.drawn] == (
        [official["output_image"]] if "[IMG0]" in official["target"] else []
    )
    assert sample.caption == official["caption"]


@pytest.mark.parametrize("name", [name for name in OFFICIAL if name != "pre_caption"])
def test_every_sample_has_the_official_ids_and_labels(name, vicuna, tmp_path):
    samples = read(name, tmp_path)
    assert len(samples) == len(OFFICIAL[name])
    for sample, official in zip(samples, OFFICIAL[name], strict=True):
        assert_is(sample, official, vicuna, tmp_path)
    assert samples.report == f"{samples.findings.source}: {len(samples)} samples, 0 records skipped"


@pytest.mark.parametrize(("caption", "cleaned"), OFFICIAL["pre_caption"])
def test_captions_are_cleaned_as_officially(caption, cleaned):
    assert clean_caption(caption) == cleaned
