"""The table: figures, losses and grounds as a reader finds them."""

from idea_table import markdown

from tests.unit.benchmarks.cells import cell


def grid(text):
    """Cells of each row of the tables by the row's first cell."""
    rows = [[part.strip() for part in line.strip("| ").split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    return {row[0].strip(): row for row in rows}


def both(case, own, base):
    return [
        *(cell(case, seed=seed, passed=passed) for seed, passed in enumerate(own, 1)),
        *(cell(case, "one-call", seed, passed, tasks=0, tries=1) for seed, passed in enumerate(base, 1)),
    ]


def test_a_step_and_the_total_are_means_over_their_cases():
    rows = grid(markdown([*both("01-a", [10, 8, 9], [2, 4, 3]), *both("02-b", [2, 2, 2], [4, 4, 4])]))
    assert rows["step 1"][1:4] == ["90% ± 25", "30% ± 25", "+60 points [+37, +83]"]
    assert rows["step 1"][4].startswith("× 3.00 [")
    assert rows["step 2"][1:5] == ["20% ± 0", "40% ± 0", "-20 points [-20, -20]", "× 0.50 [0.50, 0.50]"]
    assert rows["all 2"][1:3] == ["55% ± 8", "35% ± 8"]
    assert rows["all 2"][5] == "1 of 6 · 0 of 6"


def test_time_and_tokens_are_medians_of_each_side():
    cells = [cell(seconds=s, output_tokens=o) for s, o in ((10, 1), (200, 2), (5000, 9000))]
    rows = grid(markdown([*cells, cell(side="one-call", seconds=42.0)]))
    assert rows["step 1"][6:] == ["3:20 · 42 s", "1.0k / 2 · 1.0k / 200"]


def test_losses_are_named_with_their_weight():
    text = markdown([*both("01-a", [1, 9, 5], [2, 9, 6]), *both("02-b", [2, 2, 2], [4, 4, 4])])
    assert "Where one call is better: step 1 (loses), step 2 (**loses beyond the interval**)" in text
    assert grid(text)["02-b"][7] == "**loses beyond the interval**"


def test_no_loss_is_said_to_be_none():
    assert "Where one call is better: nowhere." in markdown(both("01-a", [5], [5]))


def test_each_seed_of_an_idea_is_shown():
    rows = grid(markdown(both("03-c", [4, 5, 6], [1, 2, 3])))
    assert rows["03-c"][:7] == ["03-c", "3", "10", "4 5 6", "1 2 3", "2/3 2/3 2/3", "4 4 4"]


def test_one_side_alone_is_not_compared():
    text = markdown([cell("01-a", passed=5), cell("01-a", passed=5, seed=2), cell("02-b", "one-call", passed=0)])
    rows = grid(text)
    assert rows["step 1"][1:5] == ["50% ± 0", "–", "–", "–"]
    assert "No idea is measured on both sides yet." in text


def test_a_baseline_of_nothing_has_a_difference_but_no_ratio():
    row = grid(markdown(both("04-d", [5, 5], [0, 0])))["step 4"]
    assert row[3:5] == ["+50 points [+50, +50]", "–"]


def test_one_seed_has_no_interval():
    assert grid(markdown(both("01-a", [6], [3])))["step 1"][1:5] == ["60%", "30%", "+30 points", "× 2.00"]


def test_commits_settings_and_changes_are_stated():
    cells = [cell(seed=1), cell(seed=2, commit="c2", dirty=True, source="s2", date="2026-01-05T00:00:00+00:00")]
    text = markdown([*cells, cell(side="one-call", dirty=True)])
    assert "agentinfra: 2 cells, `local:small`, seeds 1, 2, minutes 15; commit c1 (1 cell)," in text
    assert "c2 with uncommitted changes (source s2) (1 cell); 2 cores; 2026-01-02 to 2026-01-05." in text
    assert "one-call: 1 cell, `local:small`, seeds 1, minutes 15, prompt p1; commit c1; 2 cores; 2026-01-02." in text


def test_nothing_measured_is_said():
    assert markdown([]) == "Nothing is measured yet.\n"
