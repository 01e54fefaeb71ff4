"""Training of word vectors on pairs of a sentence and the function it describes: numpy alone, seeded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bag = NDArray[np.int64]
"""The rows of a text's distinct words."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: How often each pair is seen.
        batch: Pairs of a batch; each one's function is to be told from all others of the batch.
        rate: Of Adam, at its highest.
        temperature: Of the softmax over cosines.
        dropout: Share of the words that a sentence and its function have in common, left out of the sentence: what
            is the same letter by letter is found by a full-text index already.
        seed: Of the order, and of what is left out.
    """

    epochs: int = 8
    batch: int = 1024
    rate: float = 3e-3
    temperature: float = 0.05
    dropout: float = 0.3
    seed: int = 7


@dataclass(frozen=True, slots=True)
class BagPair:
    """A pair as the training sees it; ``source`` is the package that it comes from."""

    source: str
    sentence: Bag
    body: Bag


class Adam:
    """Adam that moves only the rows that a batch has touched."""

    def __init__(self, table: Floats) -> None:
        self._table = table
        self._first = np.zeros_like(table)
        self._second = np.zeros_like(table)
        self._steps = 0

    def step(self, rows: Bag, slope: Floats, rate: float) -> None:
        """Move these rows against their slope."""
        self._steps += 1
        first = self._first[rows] = 0.9 * self._first[rows] + 0.1 * slope
        second = self._second[rows] = 0.999 * self._second[rows] + 0.001 * slope * slope
        bias_first, bias_second = 1 - 0.9**self._steps, 1 - 0.999**self._steps
        self._table[rows] -= rate * (first / bias_first) / (np.sqrt(second / bias_second) + 1e-8)


def train(table: Floats, pairs: Sequence[BagPair], recipe: Recipe, tell: Callable[[str], None]) -> None:
    """Move the table's rows in place until sentences lie near their functions.

    Args:
        table: Vectors by row.
        pairs: What to learn from.
        recipe: How.
        tell: Told the loss of each epoch.
    """
    random = np.random.default_rng(recipe.seed)
    adam = Adam(table)
    steps = recipe.epochs * math.ceil(len(pairs) / recipe.batch)
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        losses: list[float] = []
        for batch in _batches(pairs, recipe, random):
            step += 1
            rate = recipe.rate * min(1.0, step / (0.1 * steps)) * max(0.05, 1 - step / steps)
            losses.append(_learn(table, adam, [_dropped(pair, recipe, random) for pair in batch], rate, recipe))
        tell(f"epoch {epoch} of {recipe.epochs}: loss {np.mean(losses):.3f}")


def _batches(pairs: Sequence[BagPair], recipe: Recipe, random: np.random.Generator) -> Iterator[list[BagPair]]:
    """Every pair once; half of a batch's neighbours come from the same package, as in a workspace."""
    order: list[int] = random.permutation(len(pairs)).tolist()
    shuffled = [pairs[place] for place in order]
    middle = len(shuffled) // 2
    mixed, grouped = shuffled[:middle], sorted(shuffled[middle:], key=lambda pair: pair.source)
    half = recipe.batch // 2
    starts = [*range(0, len(grouped), half)]
    random.shuffle(starts)
    for number, start in enumerate(starts):
        batch = mixed[number * half : (number + 1) * half] + grouped[start : start + half]
        if len(batch) > 1:
            yield batch


def _dropped(pair: BagPair, recipe: Recipe, random: np.random.Generator) -> BagPair:
    kept = pair.sentence[~np.isin(pair.sentence, pair.body) | (random.random(len(pair.sentence)) >= recipe.dropout)]
    return BagPair(pair.source, kept if len(kept) else pair.sentence, pair.body)


def _learn(table: Floats, adam: Adam, batch: Sequence[BagPair], rate: float, recipe: Recipe) -> float:
    """One step of two-sided InfoNCE; returns its loss."""
    bags = [pair.sentence for pair in batch] + [pair.body for pair in batch]
    rows, places = np.unique(np.concatenate(bags), return_inverse=True)
    counts = np.zeros((len(bags), len(rows)), np.float32)
    counts[np.repeat(np.arange(len(bags)), [len(bag) for bag in bags]), places] = 1
    sums = counts @ table[rows]
    lengths = np.linalg.norm(sums, axis=1, keepdims=True) + 1e-6
    units = sums / lengths
    loss, slope = _contrast(units[: len(batch)], units[len(batch) :], recipe.temperature)
    # Only the part across a unit vector moves it.
    slope = (slope - (slope * units).sum(1, keepdims=True) * units) / lengths
    adam.step(rows, counts.T @ slope, rate)
    return loss


def _contrast(left: Floats, right: Floats, temperature: float) -> tuple[float, Floats]:
    """The loss of telling partners from all others, in both directions, and its slope for both sides, stacked."""
    scores: Floats = left @ right.T / np.float32(temperature)
    forth, back = _softmax(scores), _softmax(scores.T).T
    chosen = np.diagonal(forth) * np.diagonal(back)
    slope: Floats = (forth + back) * np.float32(0.5)
    slope[np.diag_indices(len(left))] -= 1
    slope /= np.float32(len(left) * temperature)
    return float(-np.log(chosen + 1e-12).mean() / 2), np.vstack([slope @ right, slope.T @ left])


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)
