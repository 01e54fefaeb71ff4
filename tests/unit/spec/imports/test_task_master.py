"""Files that Task Master itself wrote: every value is accounted for, whatever else stands there."""

import copy
import json
import random
import re
from pathlib import Path

import pytest

from agentinfra.core.errors import InputError, SpecError
from agentinfra.spec.document import parse
from agentinfra.spec.imports.task_master import TaskMaster
from agentinfra.spec.tasks_document import parse_tasks

SOURCES = Path(__file__).parent / "sources" / "task_master"


def squeezed(text):
    return " ".join(["", *re.findall(r"\w+", text), ""])


def everything(imported):
    left_out = "\n".join(f"{one.what}\n" for one in imported.left_out)
    return squeezed(f"{imported.spec_text}\n{imported.tasks_text}\n{left_out}")


def leaves(value):
    if isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from leaves(one)
    elif value not in (None, ""):
        yield value if isinstance(value, str) else json.dumps(value)


@pytest.fixture
def read(tmp_path):
    def read_data(data):
        path = tmp_path / "tasks.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data, indent=1), encoding="utf-8")
        return TaskMaster().read(path)

    return read_data


def task(number, **more):
    return {"id": number, "title": f"Task {number}", **more}


@pytest.mark.parametrize("name", ["tagged.json", "untagged.json"])
def test_every_value_is_in_the_result_or_left_out(name):
    said = everything(TaskMaster().read(SOURCES / name))
    values = list(leaves(json.loads((SOURCES / name).read_text())))
    assert len(values) > 20
    assert [value for value in values if squeezed(value) not in said] == []


def test_values_that_nobody_knows_are_carried_wherever_they_stand(read):
    data = json.loads((SOURCES / "tagged.json").read_text())
    words = []

    def spoil(value):
        for one in list(value.values() if isinstance(value, dict) else value):
            if isinstance(one, (dict, list)):
                spoil(one)
        if isinstance(value, dict):
            words.extend((f"kk{len(words)}kk", f"vv{len(words)}vv"))
            value[words[-2]] = [words[-1], {"deep": [1.5, True, words[-1]]}]

    spoil(data)
    said = everything(read(data))
    assert len(words) == 24
    assert [word for word in words if f" {word} " not in said] == []


VALUES = [None, 0, 1.5, True, {}, "1.1", "x y", "```\nq", "# a\n### FR-1 · z", "<!--", "a\r\nb", {"a": [1]}, [[3]], "é"]


def holders(value):
    if isinstance(value, (dict, list)):
        yield value
        for one in value.values() if isinstance(value, dict) else value:
            yield from holders(one)


@pytest.mark.parametrize("seed", range(200))
def test_any_damage_is_refused_or_accounted_for(read, seed):
    chance = random.Random(seed)
    data = json.loads((SOURCES / chance.choice(["tagged.json", "untagged.json"])).read_text())
    for _ in range(2):
        holder = chance.choice(list(holders(data)))
        value = copy.deepcopy(chance.choice(VALUES))
        if isinstance(holder, list):
            holder.append(value)
        else:
            holder[chance.choice([*holder, "new", "details", "title", "subtasks"])] = value
    try:
        imported = read(data)
    except SpecError as error:
        assert "tasks.json:" in error.what or "circle" in error.what
        assert error.next_step
        return
    said = everything(imported)
    lost = [one for one in leaves(data) if squeezed(one) not in said and squeezed(json.dumps(one)) not in said]
    assert lost == []
    assert parse(imported.spec_text) == imported.spec
    assert parse_tasks(imported.tasks_text) == imported.tasks


def test_every_text_may_be_anything(read):
    data = json.loads((SOURCES / "tagged.json").read_text())
    one = data["master"]["tasks"][1]
    one["title"], one["testStrategy"] = "# FR-9 · x\n## Goal", "Look\r\nat `it`"
    one["details"] = "## Requirements\n\n### FR-1 · no\n\n```\nopen\n\nFile: x\n<!-- y"
    imported = read(data)
    assert parse(imported.spec_text).requirements[1].statement == imported.spec.requirements[1].statement
    assert len(parse(imported.spec_text).requirements) == 5
    assert "Test strategy: Look\nat `it`" in imported.spec_text


@pytest.mark.parametrize("name", ["tagged.json", "untagged.json"])
def test_what_is_written_reads_as_what_was_imported(name):
    imported = TaskMaster().read(SOURCES / name)
    assert parse(imported.spec_text) == imported.spec
    assert parse_tasks(imported.tasks_text) == imported.tasks


def test_tasks_become_requirements_and_subtasks_tasks_of_their_own():
    imported = TaskMaster().read(SOURCES / "tagged.json")
    assert [(one.id, one.title) for one in imported.spec.requirements] == [
        ("FR-1", "Read the kind of tea"),
        ("FR-2", "Count the time down"),
        ("FR-3", "Ring the bell"),
        ("FR-6", "Choose a sound"),
        ("FR-7", "Play it twice"),
    ]
    assert [(one.id, one.requirements, one.depends_on) for one in imported.tasks] == [
        ("T-1", ("FR-1",), ()),
        ("T-2", ("FR-2",), ("T-1", "T-4", "T-5")),
        ("T-4", ("FR-2",), ("T-1",)),
        ("T-5", ("FR-2",), ("T-4",)),
        ("T-3", ("FR-3",), ("T-1", "T-2")),
        ("T-6", ("FR-6",), ()),
        ("T-7", ("FR-7",), ("T-6",)),
    ]
    assert "**2.2 Stop at zero** (T-5)\n\nNo negative seconds" in imported.spec.requirements[1].statement
    assert "- Task Master's id: 2\n- tag: sound" in imported.spec.requirements[4].statement


def test_the_untagged_form_reads_numbers_in_subtasks_as_siblings():
    tasks = {one.id: one.depends_on for one in TaskMaster().read(SOURCES / "untagged.json").tasks}
    assert tasks == {"T-1": (), "T-2": ("T-1", "T-3", "T-4"), "T-3": ("T-1",), "T-4": ("T-3",)}


def test_states_are_left_out_because_only_the_engine_says_what_is_done():
    left_out = TaskMaster().read(SOURCES / "tagged.json").left_out
    assert [(one.place, one.what) for one in left_out] == [
        ("tagged.json:10", "status: done"),
        ("tagged.json:22", "status: in-progress"),
        ("tagged.json:33", "status: in-progress"),
    ]
    assert left_out[0].why == "the engine alone says how far T-1 is, by its proofs"


def test_a_folder_is_read_as_the_file_in_it(tmp_path):
    folder = tmp_path / "kettle" / ".taskmaster" / "tasks"
    folder.mkdir(parents=True)
    assert not TaskMaster().recognises(tmp_path / "kettle")
    (folder / "tasks.json").write_text((SOURCES / "untagged.json").read_text())
    assert TaskMaster().recognises(tmp_path / "kettle")
    imported = TaskMaster().read(tmp_path / "kettle")
    assert imported.spec.title == "kettle"
    assert imported.left_out[0].place == ".taskmaster/tasks/tasks.json:7"
    with pytest.raises(InputError, match=r"holds no tasks\.json"):
        TaskMaster().read(tmp_path)


def test_ids_that_are_used_twice_or_are_words_get_new_ones(read):
    imported = read({"tasks": [task(2), task("2"), task("HAM-1", dependencies=["2"])]})
    assert [one.id for one in imported.tasks] == ["T-2", "T-3", "T-4"]
    assert imported.tasks[2].depends_on == ("T-2",)
    assert "- Task Master's id: HAM-1" in imported.spec.requirements[2].statement
    assert [(one.line, one.what) for one in imported.left_out] == [(8, "id: 2")]


def test_dependencies_on_nothing_are_listed(read):
    imported = read({"tasks": [task(1, dependencies=[9, "1.4"])]})
    assert imported.tasks[0].depends_on == ()
    assert [one.what for one in imported.left_out] == ["dependency of 1: 9", "dependency of 1: 1.4"]


def test_a_subtask_that_waits_for_its_task_is_taken_at_its_word(read):
    imported = read({"tasks": [task(1), task(2, dependencies=[1], subtasks=[task(1, dependencies=["2"])])]})
    assert [(one.id, one.depends_on) for one in imported.tasks] == [("T-1", ()), ("T-2", ("T-1",)), ("T-3", ("T-2",))]
    assert imported.left_out[0].why == "it contradicts the dependencies that are written down"


def test_subtasks_of_subtasks_are_kept_as_they_are(read):
    imported = read({"tasks": [task(1, subtasks=[task(1, subtasks=[task(7)])])]})
    assert len(imported.tasks) == 2
    assert '- subtasks: [{"id": 7, "title": "Task 7"}]' in imported.spec.requirements[0].statement


def test_titles_and_ids_are_one_line_and_a_missing_title_is_the_id(read):
    tasks = [task(1, title="```\nx"), {"id": "2.5"}, {"id": "a\r\nb", "c\nd": 1, "subtasks": [{"id": "e\nf"}]}]
    imported = read({"master": {"tasks": []}, "g\r\nh": {"tasks": tasks}})
    assert [one.title for one in imported.tasks] == ["``` x", "Task 2.5", "Task a b", "Task a b.e f"]
    assert parse(imported.spec_text) == imported.spec


def test_a_project_without_tasks_is_an_empty_draft(read):
    imported = read({"master": {"tasks": []}})
    assert (imported.spec.requirements, imported.tasks, imported.tasks_text) == ((), (), "")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('{"tasks": [\n{"id": 1,', r"tasks\.json:2 cannot be imported\. Expecting .*column"),
        ('{"tasks": 5}', r"tasks\.json:1 .* there is a number where a list belongs\. Write a list there"),
        ('{"tasks": [\n7]}', r"tasks\.json:2 .* there is a number where an object belongs"),
        ('{"tasks": [\n{"title": "x"}]}', r"tasks\.json:2 .* a task has no id\. Give it one"),
        ('{"tasks": [\n{"id": true}]}', r"tasks\.json:2 .* true is no id of a task"),
        ('{"tasks": [{"id": 1,\n"title": 5}]}', r"tasks\.json:2 .* a number where text belongs"),
        ('{"tasks": [{"id": 1,\n"details": [1]}]}', r"tasks\.json:2 .* a list where text belongs"),
        ('{"tasks": [{"id": 1,\n"status": {"a": 1}}]}', r"tasks\.json:2 .* an object where text belongs"),
        ('{"tasks": [{"id": 1, "dependencies": "1"}]}', r"text where a list belongs"),
        ('{"tasks": [{"id": 1,\n"id": 2}]}', r"tasks\.json:2 .* the key 'id' is there twice"),
        ('{"tasks": [{"id": 1, "title": "\\ud83d"}]}', r"half of a character"),
        ('{"a": 1}', r"there is no list of tasks\. Name a tasks\.json"),
        ("[]", r"there is a list where an object belongs"),
        ("", r"tasks\.json:1 cannot be imported\. Expecting value"),
        ("[" * 100_000, r"nested too deeply|Expecting value"),
        ('{"tasks": [{"id": ' + "9" * 5_000 + "}]}", r"tasks\.json:1 .*digits"),
    ],
)
def test_what_is_broken_is_refused_with_its_line_and_what_to_do(read, data, message):
    with pytest.raises(SpecError, match=message) as raised:
        read(data)
    assert raised.value.next_step


def test_a_circle_is_refused_with_its_path(read):
    with pytest.raises(SpecError, match=r"circle: T-\d → T-\d → T-\d\. Take one"):
        read({"tasks": [task(1, dependencies=[2]), task(2, dependencies=[1])]})


def test_what_task_master_itself_made_of_an_empty_list_is_refused():
    with pytest.raises(SpecError, match=r"without_id\.json:4 .* null is no id of a task\. Write a number such as 7"):
        TaskMaster().read(SOURCES / "without_id.json")


def test_large_files_are_refused_unread_and_those_of_ten_thousand_tasks_read(tmp_path, read):
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(InputError, match=r"large\.json is too large\. It has 50 MB; .* at most 10"):
        TaskMaster().read(tmp_path / "large.json")
    tasks = [task(number, dependencies=[number - 1][: number - 1]) for number in range(1, 10_001)]
    assert len(read({"tasks": tasks}).tasks) == 10_000


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(tmp_path):
    (tmp_path / "tasks.json").write_bytes('{\n"tasks": ["Größe"]}'.encode("latin-1"))
    with pytest.raises(SpecError, match=r"tasks\.json:2 .* byte 0xf6 is not UTF-8"):
        TaskMaster().read(tmp_path)
