"""Ranks the functions of a corpus by semble's own code. Runs in an environment of its own, with semble 0.7.0.

Semble's default weights lie on a model hub only, so it is given ours: a vector for each text, made beforehand. Reads
JSON on standard input (``functions``: path and text; ``questions``; ``vectors``: a file of NumPy with those of both)
and writes the places of the ten best functions for each question.
"""

import json
import sys

import numpy as np
from semble.index.bm25 import BM25
from semble.index.dense import SelectableBasicBackend
from semble.index.sparse import enrich_for_bm25
from semble.search import search
from semble.tokens import tokenize
from semble.types import Chunk
from vicinity.backends.basic import BasicArgs


class KnownVectors:
    """Stands for a model: it has been asked everything before."""

    def __init__(self, vectors):
        self.vectors = vectors

    def encode(self, texts, **_):
        return np.array([self.vectors[text] for text in texts])


def main():
    """Index, ask, print."""
    task = json.load(sys.stdin)
    vectors = np.load(task["vectors"])
    chunks, line = [], 1
    for function in task["functions"]:
        end = line + function["text"].count("\n")
        chunks.append(Chunk(function["text"], function["path"], line, end, task["language"]))
        line = end + 1
    words = BM25.empty()
    for place, chunk in enumerate(chunks):
        words.add_document(str(place), tokenize(enrich_for_bm25(chunk)))
    words.set_doc_order([str(place) for place in range(len(chunks))])
    model = KnownVectors(dict(zip(task["questions"], vectors["questions"], strict=True)))
    meaning = SelectableBasicBackend(vectors["functions"], BasicArgs())
    places = {chunk: place for place, chunk in enumerate(chunks)}
    found = [
        [places[one.chunk] for one in search(question, model, meaning, words, chunks, 10)]
        for question in task["questions"]
    ]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
