"""From new texts to edits: the least lines, in the form that a client takes."""

import pytest
from agentinfra_server.features.edits import FileChange, text_edits, workspace_edit
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from tests.server.test_code_actions import applied

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "é𝄞\n"]), max_size=8).map("".join)
TEXT = st.builds(str.__add__, LINES, st.sampled_from(["", "end", "𝄞"]))


def edits(old, new):
    made = list(text_edits(old, new, len))
    return [
        {
            "range": {
                "start": {"line": one.range.start.line, "character": one.range.start.character},
                "end": {"line": one.range.end.line, "character": one.range.end.character},
            },
            "newText": one.new_text,
        }
        for one in made
    ]


@given(TEXT, TEXT)
def test_edits_make_the_new_text(old, new):
    assert applied(old, edits(old, new)) == new


def test_only_what_changes_is_sent():
    old = "".join(f"line {number}\n" for number in range(100))
    made = edits(old, old.replace("line 5\n", "five\n").replace("line 90\n", ""))
    assert [(one["range"]["start"]["line"], one["newText"]) for one in made] == [(5, "five\n"), (90, "")]
    assert edits(old, old) == []


def test_the_end_of_a_text_is_counted_in_the_clients_units():
    (edit,) = text_edits("a\n𝄞𝄞", "a\nb", lambda text: len(text.encode("utf-16-le")) // 2)
    assert edit.range.end == lsp.Position(1, 4)


def test_a_change_of_very_many_lines_is_one_edit():
    old = "".join(f"{number}\n" for number in range(5000))
    assert len(edits(old, old.replace("1", "one"))) == 1


@pytest.mark.parametrize(
    ("able", "kinds"),
    [
        (None, []),
        (lsp.WorkspaceEditClientCapabilities(), []),
        (lsp.WorkspaceEditClientCapabilities(document_changes=True), ["TextDocumentEdit"]),
        (
            lsp.WorkspaceEditClientCapabilities(
                document_changes=True, resource_operations=[lsp.ResourceOperationKind.Create]
            ),
            ["CreateFile", "TextDocumentEdit"],
        ),
    ],
)
def test_a_new_file_is_made_as_the_client_can(able, kinds):
    can = lsp.ClientCapabilities(workspace=lsp.WorkspaceClientCapabilities(workspace_edit=able))
    made = workspace_edit([FileChange("file:///t.py", None, None, "x\n")], can, len, "Write", "who")
    assert [type(one).__name__ for one in made.document_changes or ()] == kinds
    assert (made.changes is None) == bool(kinds) and made.change_annotations is None
