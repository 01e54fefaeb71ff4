"""Indexes a folder with semble and prints what it took, as JSON: ``semble_index.py FOLDER WORDS TARGET``.

Runs in an environment of its own, with semble 0.7.0. Semble's default weights lie on a model hub only, so it is given
our word vectors, looked up by the tokenizer that its own ones come with: words of a table, the longest first.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from model2vec import StaticModel
from semble import SembleIndex
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers


def main(folder, words, target):
    """Index, save, print."""
    weights = Path(target, "weights")
    _save_weights(Path(words), weights)
    cpu, wall = time.process_time(), time.perf_counter()
    index = SembleIndex.from_path(folder, model_path=str(weights))
    index.save(Path(target, "index"))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    status = Path("/proc/self/status").read_text().split()
    peak = int(status[status.index("VmHWM:") + 1]) / 1000
    found = index.stats
    told = {"cpu": cpu, "wall": wall, "files": found.indexed_files, "chunks": found.total_chunks, "megabytes": peak}
    print(json.dumps(told))


def _save_weights(words, target):
    with np.load(words) as table:
        vocabulary = {word: row for row, word in enumerate(bytes(table["words"]).decode().split("\n"))}
        vectors = table["rows"].astype(np.float32) * table["scales"].astype(np.float32)[:, None]
    vocabulary["[UNK]"] = len(vectors)
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    none = np.zeros((1, vectors.shape[1]), np.float32)
    StaticModel(np.vstack([vectors, none]), tokenizer, normalize=True).save_pretrained(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
