"""Trains the word vectors of the static embedder, which lie beside it in the package.

``python -m benchmarks.train_static_embedder --folder DIR`` fetches the packages of :mod:`benchmarks.embedder_corpus`
(about 500 MB, once), takes from them pairs of a sentence and the function that it describes, and moves word vectors
until the two lie near each other. The vectors begin as what MiniLM says of each word (``agentinfra models pull minilm``
first), in the directions in which these differ most, as long as the word is rare. All is seeded: the same packages
give the same vectors, but for the rounding of the processor's own arithmetic. Takes about twenty minutes of one core.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sysconfig
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agentinfra.memory.embedders.minilm import MiniLMEmbedder
from agentinfra.memory.embedders.static import TABLE, VERSION
from agentinfra.memory.embedders.words import split_words
from benchmarks.embedder_corpus import fetch, licence_of, package_names, pairs_of
from benchmarks.embedder_pairs import Pair, python_pairs
from benchmarks.embedder_training import Bag, BagPair, Floats, Recipe, train

DIMENSIONS = 256
MOST_WORDS = 19_500
MOST_LETTERS = 24
"""Longer words are names of one place, or data."""
_BODY_WORDS = 400
_START_LENGTH = 0.3
"""Length of a word's first vector, per unit of its rareness."""
_LENGTH_OF_UNKNOWN = 0.01

Words = list[str]
SourcedWords = tuple[str, Words, Words]
"""A package, the words of a sentence, and those of its function."""


def main() -> None:
    """Fetch, take apart, train, write."""
    options = _options()
    archives = {package: fetch(package, options.folder) for package in package_names()}
    mined = _mined(archives)
    sources = [f"{package} ({licence_of(archives[package])}): {len(pairs)} pairs" for package, pairs in mined.items()]
    print(*sources, sep="\n")
    corpus = [
        (package, _distinct(pair.sentence), _distinct(pair.body)[:_BODY_WORDS])
        for package, pairs in mined.items()
        for pair in pairs
    ]
    words = vocabulary(corpus)
    table = np.vstack([np.full((1, DIMENSIONS), _LENGTH_OF_UNKNOWN), distilled(words, _rareness(corpus, words))])
    table = table.astype(np.float32)
    print(f"{len(corpus):,} pairs, {len(words):,} words")
    train(table, _bags(corpus, words), Recipe(), print)
    write_table(options.output, words, table, sources)
    print(f"{options.output}: {options.output.stat().st_size:,} bytes")


def vocabulary(corpus: Sequence[SourcedWords]) -> Words:
    """The words that more than one package uses, the most frequent first."""
    frequency: Counter[str] = Counter()
    packages: dict[str, set[str]] = {}
    for package, sentence, body in corpus:
        for word in {*sentence, *body}:
            frequency[word] += 1
            packages.setdefault(word, set()).add(package)
    shared = [word for word in frequency if len(packages[word]) > 1 and len(word) <= MOST_LETTERS]
    return sorted(shared, key=lambda word: (-frequency[word], word))[:MOST_WORDS]


def distilled(words: Words, rareness: Floats) -> Floats:
    """What MiniLM says of each word alone, turned so that the first directions tell most, and cut to those."""
    vectors = asyncio.run(MiniLMEmbedder(threads=1).embed(words))
    centred = vectors - vectors.mean(0)
    turned = centred @ np.linalg.svd(centred, full_matrices=False)[2][:DIMENSIONS].T
    return _START_LENGTH * rareness[:, None] * turned / (np.linalg.norm(turned, axis=1, keepdims=True) + 1e-9)


def write_table(target: Path, words: Words, table: Floats, sources: Sequence[str]) -> None:
    """Write the table as the embedder reads it: 8 bits a number, one scale a row.

    Args:
        target: The file.
        words: Of the rows from the second on; the first is for texts without a known word.
        table: Vectors by row.
        sources: What was learnt from, for the header.
    """
    header = {
        "version": VERSION,
        "licence": "Apache-2.0",
        "start": "word vectors of sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)",
        "sources": list(sources),
    }
    scales = (np.abs(table).max(1) / 127).astype(np.float16)
    shares: Floats = table / scales.astype(np.float32)[:, None]
    rows = np.clip(np.rint(shares), -127, 127).astype(np.int8)
    np.savez_compressed(
        target, rows=rows, scales=scales, header=_bytes(json.dumps(header)), words=_bytes("\n".join(["", *words]))
    )


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _mined(archives: dict[str, Path]) -> dict[str, list[Pair]]:
    """The pairs of each package, without those of an earlier one and without those that retrieval is measured on."""
    known, sentences = _standard_library()
    mined: dict[str, list[Pair]] = {}
    with ProcessPoolExecutor() as pool:
        for package, pairs in zip(archives, pool.map(pairs_of, archives.values()), strict=True):
            new = [pair for pair in pairs if pair.key not in known and pair.sentence.lower() not in sentences]
            known |= {pair.key for pair in new}
            mined[package] = new
    return mined


def _standard_library() -> tuple[set[str], set[str]]:
    """Bodies and sentences of Python's own modules."""
    root = Path(sysconfig.get_path("stdlib"))
    files = [path for path in sorted(root.rglob("*.py")) if "site-packages" not in path.parts]
    pairs = [pair for path in files for pair in python_pairs(path.read_text("utf-8", errors="replace"))]
    return {pair.key for pair in pairs}, {pair.sentence.lower() for pair in pairs}


def _distinct(text: str) -> Words:
    return list(dict.fromkeys(split_words(text)))


def _rareness(corpus: Sequence[SourcedWords], words: Words) -> Floats:
    frequency = Counter(word for _, sentence, body in corpus for word in {*sentence, *body})
    return np.log(1 + len(corpus) / np.array([frequency[word] for word in words])).astype(np.float32)


def _bags(corpus: Sequence[SourcedWords], words: Words) -> list[BagPair]:
    rows = {word: row for row, word in enumerate(words, 1)}

    def bag(text: Words) -> Bag:
        return np.array([rows[word] for word in text if word in rows], np.int64)

    bags = [BagPair(package, bag(sentence), bag(body)) for package, sentence, body in corpus]
    return [pair for pair in bags if len(pair.sentence) > 1 and len(pair.body) > 4]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the word vectors of the static embedder.")
    parser.add_argument("--folder", type=Path, required=True, help="where fetched packages are kept")
    parser.add_argument("--output", type=Path, default=TABLE, help="the file to write")
    return parser.parse_args()


if __name__ == "__main__":
    main()
