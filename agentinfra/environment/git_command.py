"""Hardened git: nothing that a repository's own settings name is ever started by a command from here.

A repository is untrusted text. Its hooks, pagers, signing programs, file-system monitors, remote helpers and
external diffs are switched off for every command; what cannot be switched off from outside (content filters, merge
drivers) is refused by :func:`refuse_hostile_settings`. The repository folder, working tree and index are always
named explicitly, so neither a ``.git`` file that generated code wrote nor an inherited ``GIT_DIR`` leads elsewhere.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from agentinfra.core.errors import WorkspaceError

_LIMIT_SECONDS = 120.0
_MINIMUM = (2, 38)  # the first git with `merge-tree --write-tree`
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.editor=true",
    "commit.gpgSign=false",
    "log.showSignature=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "i18n.commitEncoding=utf-8",
    "i18n.logOutputEncoding=utf-8",
)
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_EXTERNAL_DIFF": "",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
}
_STARTS_PROGRAMS = re.compile(r"filter\..*\.(clean|smudge|process)|merge\..*\.driver|includeif\..*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class GitCommand:
    """Runs git on one repository.

    Attributes:
        git_dir: The repository folder; of a linked worktree its own part of it.
        work_tree: Where its files lie.
        index: The index file to use; by default the repository's own.
        env: Further environment, such as the author's name.
    """

    git_dir: Path
    work_tree: Path
    index: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])

    def with_env(self, env: Mapping[str, str]) -> GitCommand:
        """The same with further environment."""
        return replace(self, env={**self.env, **env})

    def with_index(self, index: Path) -> GitCommand:
        """The same on another index file."""
        return replace(self, index=index)

    def output(self, *words: str, stdin: bytes = b"", accept: tuple[int, ...] = (0,)) -> tuple[int, bytes]:
        """Run ``git *words`` and return its exit code and output; blocks for at most two minutes.

        Raises:
            WorkspaceError: git is missing, or ended with a code that is not in ``accept``.
        """
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        repository = {
            "GIT_DIR": str(self.git_dir),
            "GIT_WORK_TREE": str(self.work_tree),
            "GIT_INDEX_FILE": str(self.index or self.git_dir / "index"),
        }
        argv = ["git", "--no-pager", *settings, *words]
        code, stdout, stderr = _execute(argv, self.work_tree, {**_ENVIRONMENT, **repository, **self.env}, stdin)
        if code not in accept:
            raise _failure(words[0], code, stderr)
        return code, stdout

    def text(self, *words: str, stdin: bytes = b"") -> str:
        """The output as text, without the white space around it."""
        return _decoded(self.output(*words, stdin=stdin)[1]).strip()

    def items(self, *words: str, stdin: bytes = b"") -> tuple[str, ...]:
        """The NUL-separated items of the output of a command that was given ``-z``."""
        return split_items(self.output(*words, stdin=stdin)[1])

    def holds(self, *words: str) -> bool:
        """Whether a command that answers by its exit code (0 or 1) says yes."""
        return self.output(*words, accept=(0, 1))[0] == 0


def split_items(output: bytes) -> tuple[str, ...]:
    """Split the output of a command that was given ``-z``; a name that is no UTF-8 survives the round trip."""
    return tuple(_decoded(output).split("\0")[:-1])


def join_items(items: tuple[str, ...]) -> bytes:
    """The opposite of :func:`split_items`, for a command's input."""
    return "".join(item + "\0" for item in items).encode(errors="surrogateescape")


def require_git() -> None:
    """Check that git is there and new enough.

    Raises:
        WorkspaceError: It is not; names the version that is needed.
    """
    _, stdout, _ = _execute(["git", "version"], Path("/"), {}, b"")
    numbers = re.search(r"(\d+)\.(\d+)", stdout.decode())
    if numbers is None or (int(numbers[1]), int(numbers[2])) < _MINIMUM:
        raise WorkspaceError(
            f"{stdout.decode().strip()} is too old",
            why="Merging without a working tree needs git 2.38",
            next_step="Install git 2.38 or newer",
        )


def refuse_hostile_settings(git: GitCommand) -> None:
    """Refuse a repository whose own settings make git start a program at checkout, commit or merge.

    Settings of the user (``~/.gitconfig``) are the user's own choice and stay in force.

    Raises:
        WorkspaceError: Names the settings.
    """
    named = git.items("config", "--list", "--show-scope", "--name-only", "-z")
    pairs = zip(named[::2], named[1::2], strict=True)
    found = sorted({key for scope, key in pairs if scope in ("local", "worktree") and _STARTS_PROGRAMS.fullmatch(key)})
    if found:
        raise WorkspaceError(
            f"The repository's own settings can start programs: {', '.join(found)}",
            why="git would run them when files are checked out, committed or merged",
            next_step=f"If you trust them, move them to your own settings; else `git config --unset-all {found[0]}`",
        )


def _execute(argv: list[str], cwd: Path, env: Mapping[str, str], stdin: bytes) -> tuple[int, bytes, str]:
    try:
        import git  # noqa: PLC0415  # reads settings and looks for the program as it loads
    except ImportError as error:
        raise _missing() from error
    with tempfile.TemporaryFile() as stream:
        stream.write(stdin)
        stream.seek(0)
        try:
            return git.Git(cwd).execute(
                argv,
                istream=stream,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                kill_after_timeout=_LIMIT_SECONDS,
                env=env,
                start_new_session=True,  # Ctrl-C must not cut a command in the middle of writing
            )
        except git.GitCommandNotFound as error:
            raise _missing() from error


def _missing() -> WorkspaceError:
    return WorkspaceError("git was not found", next_step="Install git 2.38 or newer and see that it is on PATH")


def _failure(verb: str, code: int, stderr: str) -> WorkspaceError:
    said = " ".join(line for line in stderr.splitlines() if line.strip())[-600:]
    return WorkspaceError(
        f"`git {verb}` failed with exit code {code}",
        why=said,
        next_step="Correct what git names; the same command can then be given again",
    )


def _decoded(output: bytes) -> str:
    return output.decode(errors="surrogateescape")
