"""Keep the diagram in ARCHITECTURE.md equal to the import contracts in pyproject.toml.

``python scripts/architecture_diagram.py`` writes it anew; the architecture test compares it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "ARCHITECTURE.md"
START, END = "<!-- diagram: generated from pyproject.toml -->\n", "<!-- end of diagram -->\n"


def main() -> None:
    """Write the diagram into ARCHITECTURE.md."""
    before, _, after = split(DOCUMENT.read_text(encoding="utf-8"))
    DOCUMENT.write_text(before + START + diagram() + END + after, encoding="utf-8")


def split(text: str) -> tuple[str, str, str]:
    """The document before its diagram, the diagram, and the document after it."""
    before, rest = text.split(START)
    drawn, after = rest.split(END)
    return before, drawn, after


def diagram() -> str:
    """The contracts as text: a box for each stack of layers, a line for each forbidden import."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    drawn = [stack(contract) if contract["type"] == "layers" else prohibition(contract) for contract in contracts]
    return "\n".join(["```text", *drawn, "```", ""])


def stack(contract: dict[str, Any]) -> str:
    """Layers from the top down; those in one row do not import each other."""
    rows = [" │ ".join(existing(contract["containers"], row)) for row in contract["layers"]]
    rows = [row for row in rows if row]
    title = " + ".join(contract["containers"])
    width = max(len(row) for row in [*rows, title]) + 4
    box = [f"│ {row:<{width}} │" for row in rows]
    return "\n".join([f"┌ {title} {'─' * (width - len(title))}┐", *box, f"└{'─' * (width + 2)}┘"])


def existing(containers: list[str], row: str) -> list[str]:
    """The modules of a row without those that the contract allows but that are not built."""
    names = [name.strip() for name in row.split("|")]
    return [name.strip("()") for name in names if not name.startswith("(") or is_built(containers, name.strip("()"))]


def is_built(containers: list[str], name: str) -> bool:
    """Whether a container has a module or package of that name."""
    folders = [ROOT / container for container in containers]
    return any((folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists() for folder in folders)


def prohibition(contract: dict[str, Any]) -> str:
    """Who must never import what."""
    return f"{', '.join(contract['source_modules'])} never imports {', '.join(contract['forbidden_modules'])}"


if __name__ == "__main__":
    main()
