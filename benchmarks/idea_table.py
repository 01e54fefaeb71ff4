"""The results of the idea benchmark as Markdown, losses included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median

from idea_cells import Cell
from idea_sides import SideName
from idea_statistics import Estimate, Interval, difference, estimate, ratio

from agentinfra.workflow.figures import count, duration, tokens

SIDES: tuple[SideName, SideName] = ("agentinfra", "one-call")
NONE = "–"
_STEP_HEAD = (
    "ideas",
    *("tests passed, agentinfra", "tests passed, one call", "difference", "ratio"),
    *("fully passed (agentinfra · one call)", "median time", "median tokens in / out"),
)
_CASE_HEAD = ("idea", "step", "tests", "agentinfra, each seed", "one call, each seed", "tasks done", "tries", "remark")


def markdown(cells: Sequence[Cell]) -> str:
    """Both tables with what they rest on.

    Args:
        cells: Cells that belong together, see :func:`idea_cells.comparable`.
    """
    if not cells:
        return "Nothing is measured yet.\n"
    steps = sorted({cell.step for cell in cells})
    rows = [_row(f"step {step}", [cell for cell in cells if cell.step == step]) for step in steps]
    names = sorted({cell.case for cell in cells})
    parts = (
        _grid(_STEP_HEAD, [*rows, _row(f"all {len(names)}", cells)]),
        _losses(cells),
        _grid(_CASE_HEAD, [_case_row([cell for cell in cells if cell.case == name]) for name in names]),
        "\n".join(_grounds(cells)),
    )
    return "\n\n".join(parts) + "\n"


def _row(title: str, cells: Sequence[Cell]) -> list[str]:
    both = _of_both(cells)
    own, base = (_estimate(both, side) for side in SIDES)
    gap = difference(own, base) if own and base else None
    factor = ratio(own, base) if own and base else None
    shares = [_share(_estimate(cells, side)) for side in SIDES]
    return [
        title,
        *shares,
        _points(gap),
        _factor(factor),
        _by_side(cells, lambda own: f"{sum(cell.passed == cell.total for cell in own)} of {len(own)}"),
        _by_side(cells, lambda own: duration(median(cell.seconds for cell in own))),
        _by_side(cells, _median_tokens),
    ]


def _case_row(cells: Sequence[Cell]) -> list[str]:
    seeds = [" ".join(str(cell.passed) for cell in _of_side(cells, side)) or NONE for side in SIDES]
    product = _of_side(cells, "agentinfra")
    tasks = " ".join(f"{cell.done}/{cell.tasks}" for cell in product) or NONE
    tries = " ".join(str(cell.tries) for cell in product) or NONE
    return [cells[0].case, str(cells[0].step), str(cells[0].total), *seeds, tasks, tries, _verdict(cells)]


def _verdict(cells: Sequence[Cell]) -> str:
    """What is to be said of a case or step: a loss, and whether it is more than chance."""
    own, base = (_estimate(_of_both(cells), side) for side in SIDES)
    if not own or not base or own.value >= base.value:
        return ""
    high = difference(own, base).high
    return "**loses beyond the interval**" if high is not None and high < 0 else "loses"


def _losses(cells: Sequence[Cell]) -> str:
    groups = {f"step {step}": [cell for cell in cells if cell.step == step] for step in sorted({c.step for c in cells})}
    groups |= {name: [cell for cell in cells if cell.case == name] for name in sorted({c.case for c in cells})}
    if not _of_both(cells):
        return "No idea is measured on both sides yet."
    lost = [f"{name} ({verdict})" for name, group in groups.items() if (verdict := _verdict(group))]
    return f"Where one call is better: {', '.join(lost) or 'nowhere'}."


def _grounds(cells: Sequence[Cell]) -> Iterator[str]:
    for side in SIDES:
        own = _of_side(cells, side)
        if own:
            yield f"- {side}: {_ground(own)}."
    yield (
        "- The share of a row is the mean over its ideas of the mean over their seeds; ± and [ ] are 95 % intervals "
        "(Student's t on the variance within the ideas, pooled; the ratio's by the delta method): what other seeds on "
        "these ideas would give. Difference and ratio are over ideas that both sides have."
    )


def _ground(cells: Sequence[Cell]) -> str:
    settings = ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in cells[0].settings.items())
    commits: Mapping[str, int] = {
        name: sum(_commit(cell) == name for cell in cells) for name in dict.fromkeys(map(_commit, cells))
    }
    at = ", ".join(
        name if len(commits) == 1 else f"{name} ({count(number, 'cell')})" for name, number in commits.items()
    )
    seeds = ", ".join(str(seed) for seed in sorted({cell.seed for cell in cells}))
    machines = " and ".join(dict.fromkeys(cell.machine for cell in cells))
    days = sorted({cell.date[:10] for cell in cells})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return (
        f"{count(len(cells), 'cell')}, `{cells[0].model}`, seeds {seeds}, {settings}; commit {at}; {machines}; {when}"
    )


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _commit(cell: Cell) -> str:
    changed = f" with uncommitted changes (source {cell.source})" if cell.dirty and cell.side == "agentinfra" else ""
    return cell.commit + changed


def _of_side(cells: Sequence[Cell], side: SideName) -> list[Cell]:
    return sorted((cell for cell in cells if cell.side == side), key=lambda cell: cell.seed)


def _of_both(cells: Sequence[Cell]) -> list[Cell]:
    first, second = ({cell.case for cell in cells if cell.side == side} for side in SIDES)
    return [cell for cell in cells if cell.case in first & second]


def _estimate(cells: Sequence[Cell], side: SideName) -> Estimate | None:
    groups: dict[str, list[float]] = {}
    for cell in _of_side(cells, side):
        groups.setdefault(cell.case, []).append(cell.share)
    return estimate(list(groups.values())) if groups else None


def _share(found: Estimate | None) -> str:
    if found is None:
        return NONE
    half = found.half_width
    return f"{found.value:.0%}" if half is None else f"{found.value:.0%} ± {100 * half:.0f}"


def _points(gap: Interval | None) -> str:
    if gap is None:
        return NONE
    value = f"{100 * gap.value:+.0f} points"
    if gap.low is None or gap.high is None:
        return value
    return f"{value} [{100 * gap.low:+.0f}, {100 * gap.high:+.0f}]"


def _factor(factor: Interval | None) -> str:
    if factor is None:
        return NONE
    value = f"× {factor.value:.2f}"
    return value if factor.low is None or factor.high is None else f"{value} [{factor.low:.2f}, {factor.high:.2f}]"


def _by_side(cells: Sequence[Cell], show: Callable[[list[Cell]], str]) -> str:
    return " · ".join(show(own) if (own := _of_side(cells, side)) else NONE for side in SIDES)


def _median_tokens(cells: list[Cell]) -> str:
    read, written = (median(counts) for counts in zip(*((c.input_tokens, c.output_tokens) for c in cells), strict=True))
    return f"{tokens(round(read))} / {tokens(round(written))}"


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [head, [f"{'':-<{width}}" for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
