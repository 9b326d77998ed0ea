"""Metrics over (true reply, reply of a system) pairs, each with a bootstrap interval.

A metric is a value for each pair (NaN where it does not apply: a pair without a true picture has no image
similarity) or a statistic of all pictures at once (`distances`: FID, KID, Inception Score). Sources: nltk (BLEU,
METEOR), rouge-score.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from nltk.tokenize import wordpunct_tokenize
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from nltk.translate.meteor_score import single_meteor_score
from rouge_score.rouge_scorer import RougeScorer
from torch import Tensor, nn

from minigpt5.conversation import Message
from minigpt5.evaluation.bootstrap import NAN, Figure, Groups, mean_figure
from minigpt5.evaluation.distances import Shown, joined, set_metrics
from minigpt5.evaluation.features import Networks

BATCH = 32  # pairs whose pictures are in memory at a time
CHARACTER = ("animal", "colour")


@dataclass(frozen=True)
class Pair:
    """One reply beside the true one; `group` names the story or dialogue that it belongs to."""

    group: str
    truth: Message
    answer: Message


class NoSynonyms:
    """Stands for WordNet, whose data is a download of its own: METEOR then matches words and stems alone."""

    def synsets(self, word: str) -> list[str]:
        """None."""
        return []


# ---- words ----------------------------------------------------------------------------------------------------------


def word_metrics(pairs: list[Pair], networks: Networks) -> dict[str, list[float]]:
    """By name the values of all pairs; where the truth has words and the answer none they are 0."""
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    values: dict[str, list[float]] = {}
    for pair in pairs:
        truth, said = (wordpunct_tokenize(m.text.lower()) for m in (pair.truth, pair.answer))
        row = dict.fromkeys(("BLEU-1", "BLEU-2", "ROUGE-L", "METEOR (no synonyms)"), 0.0 if truth else NAN)
        if truth and said:
            smooth = SmoothingFunction().method1
            row["BLEU-1"] = sentence_bleu([truth], said, (1.0,), smoothing_function=smooth)
            row["BLEU-2"] = sentence_bleu([truth], said, (0.5, 0.5), smoothing_function=smooth)
            row["ROUGE-L"] = scorer.score(pair.truth.text, pair.answer.text)["rougeL"].fmeasure
            row["METEOR (no synonyms)"] = single_meteor_score(truth, said, wordnet=NoSynonyms())
        for name, value in row.items():
            values.setdefault(name, []).append(float(value))
    return {**values, **_neural_word_metrics(pairs, networks)}


def _neural_word_metrics(pairs: list[Pair], networks: Networks) -> dict[str, list[float]]:
    both = [i for i, pair in enumerate(pairs) if pair.truth.text and pair.answer.text]
    start = [0.0 if pair.truth.text else NAN for pair in pairs]
    similar, score = list(start), list(start)
    if both:
        truths, answers = [pairs[i].truth.text for i in both], [pairs[i].answer.text for i in both]
        cosines = (networks.sentences(truths) * networks.sentences(answers)).sum(1).tolist()
        states = zip(networks.tokens(truths), networks.tokens(answers), strict=True)
        for i, cosine, (truth, answer) in zip(both, cosines, states, strict=True):
            similar[i], score[i] = cosine, bert_score(truth, answer)
    return {"S-BERT": similar, "BERTScore F1": score}


def bert_score(truth: Tensor, answer: Tensor) -> float:
    """Token states (T,D) and (S,D) -> F1 of greedy matching by cosine (Zhang et al., 2020; no idf, no rescaling).

    torchmetrics 1.9 sorts the two lists by length one by one and so compares texts that are no pairs.
    """
    if not len(truth) or not len(answer):
        return 0.0
    unit = nn.functional.normalize
    cosines = unit(answer.float(), dim=1) @ unit(truth.float(), dim=1).T  # (S,T)
    precision, recall = float(cosines.amax(1).mean()), float(cosines.amax(0).mean())
    return 2 * precision * recall / max(precision + recall, 1e-9)


# ---- pictures -------------------------------------------------------------------------------------------------------


def picture_metrics(pairs: list[Pair], networks: Networks) -> dict[str, list[float]]:
    """CLIP similarity of picture and picture, of true words and picture, and what the judge finds kept."""
    values = {
        "drawn": [NAN if not pair.truth.images else float(bool(pair.answer.images)) for pair in pairs],
        "CLIP image-image": [NAN] * len(pairs),
        "CLIP text-image": [NAN] * len(pairs),
    }
    both = [i for i, pair in enumerate(pairs) if pair.truth.images and pair.answer.images]
    if not both:
        return values
    truths, answers = ([side.images[0] for side in sides] for sides in _sides(pairs, both))
    seen = networks.pictures(answers)
    cosines = (networks.pictures(truths) * seen).sum(1).tolist()
    for i, cosine in zip(both, cosines, strict=True):
        values["CLIP image-image"][i] = cosine
    told = [(n, i) for n, i in enumerate(both) if pairs[i].truth.text]
    if told:
        words = networks.texts([pairs[i].truth.text for _, i in told])
        for (n, i), word in zip(told, words, strict=True):
            values["CLIP text-image"][i] = float((word * seen[n]).sum())
    if networks.attributes:
        kept = zip(networks.attributes(truths), networks.attributes(answers), strict=True)
        values |= _kept(both, list(kept), len(pairs))
    return values


def _sides(pairs: list[Pair], indices: list[int]) -> tuple[list[Message], list[Message]]:
    return [pairs[i].truth for i in indices], [pairs[i].answer for i in indices]


def _kept(
    both: list[int], named: list[tuple[dict[str, str], dict[str, str]]], count: int
) -> dict[str, list[float]]:
    attributes, character = [NAN] * count, [NAN] * count
    for i, (truth, answer) in zip(both, named, strict=True):
        attributes[i] = sum(truth[name] == answer[name] for name in truth) / len(truth)
        character[i] = float(all(truth[name] == answer[name] for name in CHARACTER))
    return {"attributes as in truth": attributes, "character as in truth": character}


def shown_of(pairs: list[Pair], networks: Networks) -> Shown | None:
    """The features for FID and Inception Score; None where no pair has both pictures."""
    both = [i for i, pair in enumerate(pairs) if pair.truth.images and pair.answer.images]
    if not both:
        return None
    truths, answers = ([side.images[0] for side in sides] for sides in _sides(pairs, both))
    answer, logits = networks.inception(answers)
    return Shown([pairs[i].group for i in both], networks.inception(truths)[0], answer, logits)


# ---- both -----------------------------------------------------------------------------------------------------------


Likeness = tuple[
    float, int, int
]  # of a pair: similarities of what both have; what the system gave; what the truth has


def mm_relevance(groups: list[str], likenesses: list[Likeness]) -> dict[str, float]:
    """By group the F1 over its words and pictures (official `metric.py`): the CLIP similarities of what both have,
    over all that the system gave (precision) and all that the truth has (recall)."""
    sums: dict[str, Likeness] = {}
    for group, (similar, given, wanted) in zip(groups, likenesses, strict=True):
        before = sums.get(group, (0.0, 0, 0))
        sums[group] = (before[0] + similar, before[1] + given, before[2] + wanted)
    scores = {}
    for group, (similar, given, wanted) in sums.items():
        precision, recall = similar / max(given, 1), similar / max(wanted, 1)
        total = precision + recall
        scores[group] = 2 * precision * recall / total if total > 0 else 0.0
    return scores


def likenesses_of(pairs: list[Pair], networks: Networks, pictures: list[float]) -> list[Likeness]:
    """`pictures` are the similarities of their pictures, NaN where one is missing."""
    both = [i for i, pair in enumerate(pairs) if pair.truth.text and pair.answer.text]
    words = [0.0] * len(pairs)
    if both:
        truths, answers = (networks.texts([s.text for s in sides]) for sides in _sides(pairs, both))
        for i, similar in zip(both, (truths * answers).sum(1).tolist(), strict=True):
            words[i] = similar
    return [
        (
            words[i] + (0.0 if math.isnan(pictures[i]) else pictures[i]),
            bool(pair.answer.text) + bool(pair.answer.images),
            bool(pair.truth.text) + bool(pair.truth.images),
        )
        for i, pair in enumerate(pairs)
    ]


class Measuring:
    """What is kept of the pairs, batch by batch: values and features, no pictures."""

    def __init__(self, networks: Networks, words: bool) -> None:
        self.networks, self.words = networks, words
        self.groups: list[str] = []
        self.values: dict[str, list[float]] = {}
        self.likenesses: list[Likeness] = []
        self.shown: list[Shown] = []

    def add(self, pairs: list[Pair]) -> None:
        """Measure a batch."""
        seen = picture_metrics(pairs, self.networks)
        rows = {**seen, **(word_metrics(pairs, self.networks) if self.words else {})}
        for name, row in rows.items():
            self.values.setdefault(name, [NAN] * len(self.groups)).extend(row)
        self.groups += [pair.group for pair in pairs]
        for values in self.values.values():
            values += [NAN] * (len(self.groups) - len(values))
        if self.words:
            self.likenesses += likenesses_of(pairs, self.networks, seen["CLIP image-image"])
        if shown := shown_of(pairs, self.networks):
            self.shown.append(shown)

    def figures(self) -> dict[str, Figure]:
        """Every metric that applies to what was added."""
        kept = {n: row for n, row in self.values.items() if not all(math.isnan(value) for value in row)}
        groups = Groups(self.groups)
        figures = {name: mean_figure(row, self.groups, groups) for name, row in kept.items()}
        if "BLEU-1" in figures:
            relevance = mm_relevance(self.groups, self.likenesses)
            figures["MM-Relevance"] = mean_figure(list(relevance.values()), list(relevance), groups)
        return {**figures, **(set_metrics(joined(self.shown), groups) if self.shown else {})}


def measure(pairs: Iterable[Pair], networks: Networks, words: bool = True) -> dict[str, Figure]:
    """Every metric that applies to these pairs; without `words`, which were given, those of the pictures alone."""
    measuring, stream = Measuring(networks, words), iter(pairs)
    while batch := list(islice(stream, BATCH)):
        measuring.add(batch)
    return measuring.figures()
