"""Cells as they are stored, made from a few words."""

from idea_cells import Cell


def cell(case="01-levels", side="agentinfra", seed=1, passed=5, **more):
    """A cell of a case with ten tests; anything else by keyword."""
    values = {
        "case_digest": "d1",
        "step": int(case[1]),
        "model": "local:small",
        "settings": {"minutes": 15.0} if side == "agentinfra" else {"minutes": 15.0, "prompt": "p1"},
        "total": 10,
        "seconds": 60.0,
        "input_tokens": 1000,
        "output_tokens": 200,
        "tries": 4,
        "tasks": 3,
        "done": 2,
        "note": "",
        "source": "s1",
        "commit": "c1",
        "dirty": False,
        "machine": "2 cores",
        "date": "2026-01-02T10:00:00+00:00",
    }
    return Cell(case=case, side=side, seed=seed, passed=passed, **{**values, **more})
