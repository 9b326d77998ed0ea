"""The judge: one small network for all attributes, whose layers the figures share, and the slots."""

import pytest
import torch

from minigpt5.data.storybook.world.attributes import ATTRIBUTES
from minigpt5.evaluation.judge import save_judge
from minigpt5.evaluation.wide.judge import JUDGE_SIZE, AttributeJudge, JudgeTask, load_judge

MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def judge():
    torch.manual_seed(0)
    return AttributeJudge().eval()


def test_an_untrained_judge_names_every_attribute_with_a_known_class(judge, picture):
    (named,) = judge.name([picture])
    assert list(named) == list(ATTRIBUTES)
    assert all(named[name] in classes for name, classes in ATTRIBUTES.items())


def test_its_file_is_small_and_gives_the_same_judge_back(judge, tmp_path):
    save_judge(judge, tmp_path / "judge.safetensors")
    assert (tmp_path / "judge.safetensors").stat().st_size < MOST_BYTES
    pixels = torch.randn(1, 3, JUDGE_SIZE, JUDGE_SIZE)
    again = load_judge(tmp_path / "judge.safetensors")
    for one, other in zip(judge(pixels), again(pixels), strict=True):
        torch.testing.assert_close(one, other, atol=2e-2, rtol=2e-2)


def test_every_weight_learns_and_a_batch_depends_on_its_number_alone(judge):
    task = JudgeTask(judge.train())
    batch, again = (next(task.batches(4, 3)) for _ in range(2))
    torch.testing.assert_close(batch, again)
    task.losses(batch)["loss"].backward()
    assert [name for name, weight in judge.named_parameters() if weight.grad is None] == []
    judge.zero_grad()
    judge.eval()
