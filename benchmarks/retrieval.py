"""How well the memory's search finds what is meant, beside full-text search alone and beside semble.

A question is the first sentence of a function's documentation, and the answer is the function without it: over
TypeScript packages of npm and over Python's standard library. And over a git history: what a commit says it does, and
the files that it changed. Weights are chosen on the first half of the functions' questions, and everything is reported
on the second half, and on all commits. Intervals are bootstrapped over the questions; ratios are paired.

``agentinfra models pull minilm`` first, or MiniLM is left out. Semble 0.7.0 is installed into an environment of its
own; its default weights lie on a model hub only, so it gets our word vectors: this compares rankings, not weights.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from agentinfra.core.interfaces import Embedder
from agentinfra.memory.embedders.minilm import MiniLMEmbedder
from agentinfra.memory.embedders.static import StaticEmbedder
from agentinfra.memory.ranking import Weights
from agentinfra.memory.search import HybridSearch
from benchmarks.retrieval_corpus import Evaluation, evaluation
from benchmarks.retrieval_history import Step, history
from benchmarks.retrieval_index import evaluation_index
from benchmarks.retrieval_methods import Floats, Found, Ranking, choose, chunks_of, find
from benchmarks.retrieval_sources import standard_library, typescript_packages
from benchmarks.retrieval_statistics import mean, ratio, recall, reciprocal_rank

SEMBLE = "semble==0.7.0"
GOALS = {"+ static": 1.05, "+ static, MiniLM on 50": 1.2}
ROOT = Path(__file__).resolve().parent.parent
_HEADER = "| questions | method | MRR@10 | recall@10 | × words alone |\n|--|--|--|--|--|"
_MOST_HITS = 100
_NO_LIMIT = 1e6
_RUN_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Row:
    """What a method finds: for each question the reciprocal rank, and the share of answers, among the first ten."""

    method: str
    ranks: list[float]
    recalls: list[float]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print; the exit code is 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = user_cache_path("agentinfra") / "benchmarks" / "retrieval"
    parser.add_argument("--folder", type=Path, default=cache, help="where packages and vectors are kept")
    parser.add_argument("--history", type=Path, default=ROOT, help="a git repository")
    parser.add_argument("--questions", type=int, default=2000, help="at most, of each language")
    return asyncio.run(_measure(parser.parse_args(arguments)))


async def _measure(options: argparse.Namespace) -> int:
    static, minilm = StaticEmbedder(), MiniLMEmbedder()
    reranker = minilm if minilm.installed else None
    if reranker is None:
        print("MiniLM is left out: it was not pulled.")
    evaluations = [
        evaluation("TypeScript", typescript_packages(options.folder), options.questions),
        evaluation("Python", standard_library(), options.questions),
    ]
    every: list[Found] = []
    for one in evaluations:
        embedders: list[Embedder] = [static, *filter(None, [reranker])]
        vectors = {each.name: await _vectors(one, each, options.folder) for each in embedders}
        every.append(await find(one, static, reranker, vectors))
    print(f"Chosen on the first halves: {choose(every)}\nShipped: {Weights()}\n\n{_HEADER}")
    reached = [_report(found, _semble(found.evaluation, static, options.folder)) for found in every]
    await _report_history(history(options.history), static, reranker)
    return 0 if all(reached) else 1


async def _vectors(one: Evaluation, embedder: Embedder, folder: Path) -> Floats:
    """A vector for each function; those that were made before are taken from the folder."""
    chunks, kept = chunks_of(one), folder / f"{embedder.name}.npz"
    known = _kept(kept)
    new = [chunk for chunk in chunks if chunk.hash not in known]
    if new:
        print(f"Embedding {len(new)} functions with {embedder.name}", file=sys.stderr)
        made = await embedder.embed([chunk.embedded_text for chunk in new])
        known |= dict(zip((chunk.hash for chunk in new), made, strict=True))
        np.savez(kept, hashes=np.array(list(known)), vectors=np.array(list(known.values())))
    return np.array([known[chunk.hash] for chunk in chunks])


def _kept(file: Path) -> dict[str, Floats]:
    if not file.is_file():
        return {}
    with np.load(file) as parts:
        return dict(zip(parts["hashes"].tolist(), parts["vectors"], strict=True))


def _report(found: Found, semble: list[Ranking] | str) -> bool:
    """Print the rows of one language, on the second half of its questions; returns whether the goals are reached."""
    shipped, half = Weights(), len(found.evaluation.questions) // 2
    rankings = {"words alone (FTS5)": found.words(), "+ static": found.weighed(shipped, reranked=False)}
    if found.reranker:
        rankings["+ static, MiniLM on 50"] = found.weighed(shipped, reranked=True)
    if not isinstance(semble, str):
        rankings["semble's ranking, our static"] = semble
    answers = [question.answers for question in found.evaluation.questions]
    rows = [_row(method, each[half:], answers[half:]) for method, each in rankings.items()]
    name = f"{found.evaluation.name}, {len(answers) - half} of {len(found.evaluation.functions)} functions"
    _print(name, rows)
    if isinstance(semble, str):
        print(f"| {name} | semble | {semble} | | |", flush=True)
    first = rows[0].ranks
    return all(ratio(row.ranks, first).value >= GOALS.get(row.method, 0.0) for row in rows)


def _row(method: str, rankings: Sequence[Sequence[object]], answers: Sequence[frozenset[object]]) -> Row:
    pairs = list(zip(rankings, answers, strict=True))
    return Row(method, [reciprocal_rank(*pair) for pair in pairs], [recall(*pair) for pair in pairs])


def _print(name: str, rows: Sequence[Row]) -> None:
    for row in rows:
        times = ratio(row.ranks, rows[0].ranks)
        print(f"| {name} | {row.method} | {mean(row.ranks)} | {mean(row.recalls)} | {times} |", flush=True)


def _semble(one: Evaluation, static: StaticEmbedder, folder: Path) -> list[Ranking] | str:
    """What semble's code ranks first; or why it cannot be had."""
    texts = [chunk.embedded_text for chunk in chunks_of(one)]
    questions = [question.text for question in one.questions]
    vectors = folder / "semble-vectors.npz"
    np.savez(vectors, functions=static.embed_now(texts), questions=static.embed_now(questions))
    functions = [{"path": each.path, "text": text} for each, text in zip(one.functions, texts, strict=True)]
    task = {"functions": functions, "questions": questions, "vectors": str(vectors), "language": one.name.lower()}
    program = Path(__file__).with_name("contestants") / "semble_ranking.py"
    try:
        return json.loads(_run([_semble_python(folder), "-P", program], json.dumps(task)))
    except (subprocess.SubprocessError, OSError) as error:
        return f"not measured: {' '.join(str(error).split())[:200]}"


def _semble_python(folder: Path) -> Path:
    """The interpreter of semble's own environment, which is made where it is not there."""
    python = folder / "semble" / "bin" / "python"
    if not python.is_file():
        _run([sys.executable, "-m", "venv", python.parent.parent])
        _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", SEMBLE])
    return python


def _run(command: Sequence[str | Path], given: str = "") -> str:
    done = subprocess.run(command, input=given, text=True, capture_output=True, check=True, timeout=_RUN_SECONDS)
    return done.stdout


async def _report_history(steps: Iterable[Step], static: StaticEmbedder, reranker: Embedder | None) -> None:
    """Print the rows of a git history, on all its commits."""
    rankings: dict[str, list[list[str]]] = {}
    answers: list[frozenset[object]] = []
    with evaluation_index() as index:
        searches = {"words alone (FTS5)": HybridSearch(index), "+ static": HybridSearch(index, static)}
        if reranker is not None:
            searches["+ static, MiniLM on 50"] = HybridSearch(index, static, reranker)
        for step in steps:
            index.keep(static.name, index.show(step.tree), static.embed_now)
            answers.append(frozenset(step.answers))
            for method, search in searches.items():
                hits = await search.search(step.subject, _MOST_HITS, budget_seconds=_NO_LIMIT)
                rankings.setdefault(method, []).append(list(dict.fromkeys(hit.path for hit in hits)))
    if answers:
        _print(f"{len(answers)} commits → files", [_row(method, each, answers) for method, each in rankings.items()])


if __name__ == "__main__":
    raise SystemExit(main())
