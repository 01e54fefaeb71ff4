"""Reading a repository that others wrote, before anything is planned in it: its instructions and its conventions.

Everything is read from the commit that the run starts from: no link is followed, and nothing outside of the repository
is reached. What cannot be read is named, and stops nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from agentinfra.agents.conventions import MAX_SAMPLES, MAX_SOURCE, find_conventions, is_test_file, source_files
from agentinfra.agents.conventions import test_folder as folder_of_tests
from agentinfra.agents.existing import there_today
from agentinfra.agents.guidance import NAMES, Guidance, Instructions, is_instructions
from agentinfra.agents.style_settings import SETTINGS_FILES
from agentinfra.core.errors import SpecError, WorkspaceError
from agentinfra.environment.git_workspace import GitWorkspace
from agentinfra.security.clean import clean_text
from agentinfra.spec.requirements import Spec
from agentinfra.spec.tasks_document import parse_tasks

MAX_INSTRUCTIONS = 20
MAX_BYTES = 1_000_000  # of one file; a larger one is not for reading
KEPT_CHARACTERS = 8_000
MAX_TESTS = 10


async def read_guidance(git: GitWorkspace, ref: str) -> Guidance:
    """Find what the repository asks of those who work in it; nothing in one that is empty or holds our work alone.

    Args:
        git: The repository.
        ref: The commit to read.
    """
    sizes = await git.file_sizes(ref)
    instructions, unread = await _instructions(git, ref, sizes)
    sources = source_files(sizes)
    own = await _own_files(git, ref, sizes)
    others = [path for path in sources if path not in own]
    if not others:
        return Guidance(instructions, unread=unread)
    tests = [path for path in sizes if path.endswith(".py") and is_test_file(path)]
    texts = await _texts(git, ref, sizes, _shallowest(others, MAX_SAMPLES))
    test_texts = await _texts(git, ref, sizes, _shallowest(tests, MAX_TESTS))
    settings = await _texts(git, ref, sizes, [path for path in SETTINGS_FILES if path in sizes])
    found = await asyncio.to_thread(find_conventions, texts, test_texts, settings)
    return Guidance(instructions, tuple(found), folder_of_tests(tests) if found else "tests", unread)


async def there_at(git: GitWorkspace, ref: str, spec: Spec) -> dict[str, str] | None:
    """What a commit has of a specification, by requirement; None where it has not even one of the files.

    Args:
        git: The repository.
        ref: The commit.
        spec: The specification.
    """
    sizes = await git.file_sizes(ref) if ref else {}
    files = await _texts(git, ref, sizes, {one.file for one in spec.requirements if one.file in sizes})
    return there_today(spec, files) if files else None


def describe_delta(spec: Spec, found: Mapping[str, str]) -> str:
    """What a specification adds to the code and what it changes there, in one line for people."""
    new = [one.id for one in spec.requirements if one.id not in found]
    known = [f"{one.id} ({found[one.id]} in {one.file})" for one in spec.requirements if one.id in found]
    parts = [f"adds {', '.join(new)}" if new else "", f"changes {', '.join(known)}" if known else ""]
    return f"Beside what is there, the specification {'; '.join(filter(None, parts))}; it removes nothing"


async def _instructions(
    git: GitWorkspace, ref: str, sizes: dict[str, int]
) -> tuple[tuple[Instructions, ...], tuple[tuple[str, str], ...]]:
    found = sorted((path for path in sizes if is_instructions(path)), key=_order)
    read: list[Instructions] = []
    unread = [(path, "there are too many such files") for path in found[MAX_INSTRUCTIONS:]]
    for path in found[:MAX_INSTRUCTIONS]:
        try:
            text = await _text(git, ref, path, sizes[path])
        except WorkspaceError as error:
            unread.append((path, error.why or error.what))
            continue
        if text.strip():
            read.append(Instructions(path, clean_text(text, KEPT_CHARACTERS), len(text) > KEPT_CHARACTERS))
    return tuple(read), tuple(unread)


def _order(path: str) -> tuple[int, int, str]:
    return path.count("/"), NAMES.index(path) if path in NAMES else 0, path


async def _text(git: GitWorkspace, ref: str, path: str, size: int) -> str:
    if size > MAX_BYTES:
        raise WorkspaceError(f"{path} is too large", why=f"It has {size:,} bytes; {MAX_BYTES:,} are read")
    return await git.read_file(ref, path)


async def _texts(git: GitWorkspace, ref: str, sizes: dict[str, int], paths: Iterable[str]) -> dict[str, str]:
    """Text by path; what is too large or no text is left out, it says nothing of the style."""
    texts: dict[str, str] = {}
    for path in paths:
        if sizes[path] <= MAX_SOURCE:
            try:
                texts[path] = await git.read_file(ref, path)
            except WorkspaceError:
                continue  # not UTF-8: Python allows that, and the others are enough
    return texts


def _shallowest(paths: Iterable[str], most: int) -> list[str]:
    return sorted(paths, key=lambda path: (len(PurePosixPath(path).parts), path))[:most]


async def _own_files(git: GitWorkspace, ref: str, sizes: dict[str, int]) -> set[str]:
    """The files that an accepted run of ours wrote: they say nothing about how others write."""
    if "tasks.md" not in sizes or "spec.md" not in sizes:
        return set()
    try:
        tasks = parse_tasks(await _text(git, ref, "tasks.md", sizes["tasks.md"]))
    except (SpecError, WorkspaceError):
        return set()  # a tasks.md of someone else's
    return {path for task in tasks for path in task.files}
