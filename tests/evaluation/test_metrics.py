"""The metrics: right on what is known by hand, zero or one at their ends, and honest about what does not apply."""

import math
from dataclasses import replace

import pytest
import torch
from PIL import Image
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import poly_mmd

from minigpt5.conversation import Conversation, Message
from minigpt5.evaluation.bootstrap import Groups, difference, mean_figure
from minigpt5.evaluation.distances import Shown, fid, inception_score, kid, set_metrics
from minigpt5.evaluation.features import Networks
from minigpt5.evaluation.metrics import (
    Pair,
    bert_score,
    measure,
    picture_metrics,
    word_metrics,
)

WORDS = ("red", "blue", "cat", "dog")


def bag(texts: list[str]) -> torch.Tensor:
    return torch.nn.functional.normalize(
        torch.tensor([[float(t.split().count(w)) + 1e-6 for w in WORDS] for t in texts]), dim=1
    )


def colour(pictures: list[Image.Image]) -> torch.Tensor:
    pixels = torch.tensor([p.resize((1, 1)).getpixel((0, 0)) for p in pictures]).float()
    return torch.nn.functional.normalize(torch.cat([pixels, torch.ones(len(pixels), 1)], dim=1), dim=1)


def token_states(texts: list[str]) -> list[torch.Tensor]:
    return [torch.stack([bag([word])[0] for word in text.split()]) for text in texts]


NETWORKS = Networks(
    dict.fromkeys(("CLIP", "Inception", "S-BERT", "BERTScore"), "counting"),
    colour,
    bag,
    lambda pictures: (colour(pictures), colour(pictures) * 5),
    bag,
    token_states,
)


def message(*parts: str | Image.Image) -> Message:
    return Conversation().assistant(*parts).messages[0]


def flat(name: str) -> Image.Image:
    return Image.new("RGB", (8, 8), name)


def test_the_same_reply_is_as_good_as_can_be():
    pairs = [
        Pair(str(i), message(f"a {c} cat", flat(c)), message(f"a {c} cat", flat(c)))
        for i, c in enumerate(("red", "blue", "red"))
    ]
    figures = measure(pairs, NETWORKS)
    for name in ("drawn", "CLIP image-image", "BLEU-1", "ROUGE-L", "S-BERT", "BERTScore F1", "MM-Relevance"):
        assert figures[name].value == pytest.approx(1.0, abs=1e-4), name
    assert figures["instance FID"].value == pytest.approx(0.0, abs=1e-4)


def test_bleu_counts_words_and_not_letters():
    values = word_metrics([Pair("0", message("blue cat"), message("cub tale"))], NETWORKS)
    assert values["BLEU-1"][0] < 0.1


def test_meteor_matches_stems():
    values = word_metrics([Pair("0", message("the cat jumps"), message("the cat jumped"))], NETWORKS)
    assert values["METEOR (no synonyms)"][0] > 0.9


def test_a_reply_without_words_has_zero_and_a_truth_without_words_does_not_count():
    silent, pictures_only = (
        Pair("0", message("red cat"), message(flat("red"))),
        Pair("1", message(flat("red")), message("red")),
    )
    for values in word_metrics([silent, pictures_only], NETWORKS).values():
        assert values[0] == 0
        assert math.isnan(values[1])


def test_a_picture_that_was_not_drawn_is_counted_and_not_compared():
    values = picture_metrics(
        [Pair("0", message(flat("red")), message("no")), Pair("1", message("hi"), message("hi"))], NETWORKS
    )
    assert values["drawn"][0] == 0
    assert math.isnan(values["drawn"][1])
    assert math.isnan(values["CLIP image-image"][0])


def test_words_that_were_given_are_not_measured():
    pairs = [Pair("0", message("red cat", flat("red")), message("red cat", flat("red")))] * 2
    assert "BLEU-1" not in measure(pairs, NETWORKS, words=False)


def test_bert_score_compares_each_text_with_its_own_partner_whatever_their_lengths():
    short, long = token_states(["cat", "red blue dog"])
    assert bert_score(short, short) == pytest.approx(1.0)
    assert bert_score(short, long) < 0.01
    assert bert_score(short, short[:0]) == 0


def test_fid_is_the_squared_distance_of_the_means_where_the_spreads_are_equal():
    features = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    assert fid(features, features + torch.tensor([2.0, 0.0, 0.0])) == pytest.approx(4.0, abs=0.01)
    assert math.isnan(fid(features[:1], features))


def test_fid_of_few_pictures_is_that_of_torchmetrics():
    generator = torch.Generator().manual_seed(0)
    truth, answer = torch.randn(9, 12, generator=generator), torch.randn(7, 12, generator=generator) + 1
    features = torch.nn.Identity()
    features.num_features = 12
    library = FrechetInceptionDistance(feature=features)
    library.update(truth, real=True)
    library.update(answer, real=False)
    assert fid(truth, answer) == pytest.approx(float(library.compute()), rel=1e-3)


def test_pairs_are_measured_in_batches_as_at_once(monkeypatch):
    pairs = [
        Pair(
            str(i // 2), message(f"a {c} cat", flat(c)), message(f"a {d} dog", *([flat(d)] if i % 3 else []))
        )
        for i, (c, d) in enumerate((("red", "blue"), ("blue", "red"), ("lime", "red"), ("red", "red")))
    ]
    whole = measure(pairs, NETWORKS)
    monkeypatch.setattr("minigpt5.evaluation.metrics.BATCH", 1)
    parts = measure(iter(pairs), NETWORKS)
    assert {n: f.count for n, f in whole.items()} == {n: f.count for n, f in parts.items()}
    for name, figure in whole.items():
        assert parts[name].value == pytest.approx(figure.value, abs=1e-5), name


def test_inception_score_is_the_number_of_classes_that_are_surely_seen():
    assert inception_score(torch.eye(4) * 100) == pytest.approx(4.0, rel=1e-3)
    assert inception_score(torch.zeros(4, 4)) == pytest.approx(1.0)


def test_mm_relevance_falls_when_something_is_missing_or_too_much():
    whole = Pair("0", message("red cat", flat("red")), message("red cat", flat("red")))
    missing = replace(whole, answer=message("red cat"))
    both = {name: relevance([pair]) for name, pair in (("whole", whole), ("missing", missing))}
    assert both["whole"] == pytest.approx(1.0)
    assert both["missing"] == pytest.approx(2 / 3, abs=1e-3)  # precision 1, recall 1/2
    assert relevance([Pair("0", message("red"), message(flat("red")))]) == 0
    assert relevance([whole, replace(missing, group="1")]) == pytest.approx(5 / 6, abs=1e-3)


def relevance(pairs: list[Pair]) -> float:
    return measure(pairs, NETWORKS)["MM-Relevance"].value


def test_the_interval_repeats_holds_the_value_and_is_wider_for_fewer_groups():
    values = [float(i % 2) for i in range(100)]
    many, few = (
        mean_figure(values, [str(i) for i in range(100)]),
        mean_figure(values, [str(i // 20) for i in range(100)]),
    )
    assert many == mean_figure(values, [str(i) for i in range(100)])
    assert many.low < many.value == 0.5 < many.high
    assert (
        few.high - few.low < many.high - many.low
    )  # every group is half ones: between groups nothing varies
    assert many.count == 100


def test_a_statistic_of_nothing_has_no_interval():
    assert math.isnan(Groups(["0"]).figure(["0"], lambda weights: math.nan, 0).low)


def test_differences_are_paired_so_that_a_small_one_is_clear_where_intervals_overlap():
    hard = torch.rand(60, generator=torch.Generator().manual_seed(0)).tolist()
    names = [str(i // 2) for i in range(60)]
    groups = Groups(names)
    one, other = mean_figure([v + 0.05 for v in hard], names, groups), mean_figure(hard, names, groups)
    assert other.high > one.low
    apart = difference(one, other)
    assert apart.value == pytest.approx(0.05) and 0 < apart.low and len(apart.draws) == 1000
    same = difference(one, one)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_kid_is_that_of_torchmetrics_on_independent_pictures():
    generator = torch.Generator().manual_seed(0)
    truth, answer = torch.randn(400, 12, generator=generator), torch.randn(400, 12, generator=generator) + 0.5
    once = torch.ones(400, dtype=torch.long)
    assert kid(truth, answer)(once) == pytest.approx(1000 * float(poly_mmd(truth, answer)), rel=0.02)


def test_kid_of_pairs_of_one_scene_is_about_zero():
    truth = torch.randn(30, 12, generator=torch.Generator().manual_seed(0))
    once = torch.ones(30, dtype=torch.long)
    assert kid(truth, truth)(once) == pytest.approx(0, abs=1e-9)
    near = truth + 0.1 * torch.randn(30, 12, generator=torch.Generator().manual_seed(1))
    assert -5 < kid(truth, near)(once) < kid(truth, truth.flip(0) + 1)(once)
    assert kid(truth, near)(torch.tensor([30] + [0] * 29)) != kid(truth, near)(
        once
    )  # nothing to compare: NaN


def test_fid_of_few_true_pictures_has_a_floor_that_kid_lacks():
    generator = torch.Generator().manual_seed(0)
    names = [str(i) for i in range(20)]
    one, other = torch.randn(2, 20, 16, generator=generator)
    figures = set_metrics(Shown(names, one, other, one), Groups(names, resamples=50))
    assert figures["instance FID"].value > 5
    kernel = figures["KID, thousandths"]
    assert kernel.low < 0 < kernel.high
