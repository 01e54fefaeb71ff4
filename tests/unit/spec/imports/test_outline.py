from agentinfra.spec.imports.outline import Line, chapters, items

TEXT = """above
# Tea ##
text
```
# code
```
<!--
## comment
-->
####### seven
###### Six"""


def test_chapters_begin_at_headings_and_lose_no_line():
    found = chapters(TEXT)
    assert [(one.level, one.title, one.line) for one in found] == [(0, "", 0), (1, "Tea ##", 2), (6, "Six", 11)]
    assert [line.kind for line in found[1].lines] == ["text", "code", "code", "code", *["comment"] * 3, "text"]
    numbers = [line.number for one in found for line in one.lines] + [one.line for one in found[1:]]
    assert sorted(numbers) == list(range(1, 12))


def test_items_go_on_over_indented_lines():
    lines = [Line(n, text) for n, text in enumerate(["- a", "  more", "", "  b", "2. c", "plain", "  indented"], 1)]
    assert [[line.number for line in item] for item in items(lines)] == [[1, 2, 3, 4], [5], [6], [7]]


def test_code_belongs_to_what_stands_above():
    lines = [Line(1, "- a"), Line(2, "```", "code"), Line(3, "- x", "code"), Line(4, "```", "code")]
    assert [len(item) for item in items(lines)] == [4]
