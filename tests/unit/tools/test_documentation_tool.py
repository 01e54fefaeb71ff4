from __future__ import annotations

from pathlib import Path

import pytest

from agentinfra.core.errors import InputError
from agentinfra.tools import DocumentationTool

GUIDE = """# SvelteKit guide

About nothing.

## Routing

Files in src/routes become pages.

## Loading data

A load function returns data.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "docs/guide.md": GUIDE,
        "docs/other.md": "# Routing in another framework\n",
        "node_modules/@sveltejs/kit/README.md": "# Kit\n\nAdapters deploy your app.\n",
        "node_modules/tailwindcss/README.md": "# Tailwind CSS\n\nUtility classes for padding.\n",
        "README.md": "# App\n\nBuilt with TailwindCSS; see theme.css for colours.\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def look_up(library: str, project: Path, query: str) -> str:
    return DocumentationTool(library, project).run(query)


def test_the_passage_that_fits_comes_with_its_source(project: Path) -> None:
    text = look_up("SvelteKit", project, "routing files")
    assert "[docs/guide.md]\n## Routing\n\nFiles in src/routes become pages." in text
    assert "A load function" not in text.split("## Routing")[0]
    assert "another framework" not in text


@pytest.mark.parametrize(
    ("library", "query", "source"),
    [
        ("SvelteKit", "adapters", "node_modules/@sveltejs/kit/README.md"),
        ("TailwindCSS", "padding classes", "node_modules/tailwindcss/README.md"),
        ("TailwindCSS", "theme colours", "README.md"),
        ("pytest", "testing framework", "Python package pytest"),
    ],
)
def test_installed_packages_are_looked_through(project: Path, library: str, query: str, source: str) -> None:
    assert f"[{source}" in look_up(library, project, query)


@pytest.mark.parametrize(("library", "query"), [("SvelteKit", "quantum"), ("NoSuchLibrary", "routing"), ("pytest", "")])
def test_nothing_found_is_said(project: Path, library: str, query: str) -> None:
    text = look_up(library, project, query)
    assert text.startswith("Nothing about")
    assert library in text


def test_links_out_of_the_project_are_not_followed(project: Path, tmp_path: Path) -> None:
    (project / "docs" / "leak.md").symlink_to("/etc/passwd")
    (project / "docs" / "binary.md").write_bytes(b"SvelteKit \xff\xfe entropy")
    assert "leak.md" not in look_up("SvelteKit", project, "root bin")
    assert "binary.md" in look_up("SvelteKit", project, "entropy")


def test_long_pages_are_cut_into_passages(project: Path) -> None:
    pages = "\n\n".join(f"SvelteKit paragraph {n} {'word ' * 60}" for n in range(40))
    (project / "docs" / "long.md").write_text(pages + "\n\nthe needle")
    text = look_up("SvelteKit", project, "needle")
    assert "the needle" in text
    assert len(text) < 3000


def test_the_name_fits_a_model(project: Path) -> None:
    assert DocumentationTool("Tailwind CSS!", project).spec.name == "tailwind_css_docs"


async def test_inside_a_loop_the_asynchronous_form_is_named(project: Path) -> None:
    with pytest.raises(InputError, match=r"await sveltekit_docs\.arun"):
        look_up("SvelteKit", project, "routing")
