"""Small features for repositories that someone else wrote, each with a script: replies written by hand, no model's.

The script is a provider of models, ``script:NAME``, so that whatever shows the model shows that it was a script.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from agentinfra.core.errors import ConfigError
from agentinfra.core.messages import ChatRequest
from agentinfra.models.scripted_model import ScriptedModel

PROVIDER = "script"


@dataclass(frozen=True, slots=True)
class Feature:
    """What is to be added to a package.

    Attributes:
        name: Of the package on the Python package index.
        version: The one that is taken.
        idea: What is asked for.
        plan: The script's plan: file, signature and title of each requirement.
        code: The script's code by signature's name.
    """

    name: str
    version: str
    idea: str
    plan: tuple[tuple[str, str, str], ...]
    code: Mapping[str, str]


FEATURES = (
    Feature(
        "inflection",
        "0.5.1",
        """Add abbreviations to this library.

`inflection/__init__.py`: `initialism(term)` takes the first letter of every word of `term` as a capital; words are \
separated by blanks, hyphens or underscores. So `initialism("portable network graphics")` gives "PNG" and \
`initialism("read-only_memory")` gives "ROM".
`dotted(term)` is the same with a full stop after every letter, so `dotted("read-only_memory")` gives "R.O.M." and \
`dotted("example")` gives "E.".
""",
        (
            ("inflection/__init__.py", "initialism(term)", "Initialism of a term"),
            ("inflection/__init__.py", "dotted(term)", "Initialism with full stops"),
        ),
        {
            "initialism": '''def initialism(term: str) -> str:
    """Return the capital first letters of the words of a term."""
    return ''.join(word[0].upper() for word in re.split(r'[\\s_-]+', term) if word)
''',
            "dotted": '''def dotted(term: str) -> str:
    """Return the initialism of a term with a full stop after every letter."""
    return ''.join(f'{letter}.' for letter in initialism(term))
''',
        },
    ),
    Feature(
        "parse",
        "1.22.4",
        """Let people ask how many fields a format has, without parsing anything.

`parse/__init__.py`: `field_count(format)` counts the names of the named fields between braces in `format`, each name \
once; what stands after a colon in the braces is not part of the name. So `field_count("{day} of {month:d}, {day}")` \
gives 2 and `field_count("no fields")` gives 0.
`fields_shown(format)` says the result of `field_count` in words, so `fields_shown("{a} and {b}")` gives "2 fields" \
and `fields_shown("{a}")` gives "1 field".
""",
        (
            ("parse/__init__.py", "field_count(format)", "Number of fields of a format"),
            ("parse/__init__.py", "fields_shown(format)", "Number of fields in words"),
        ),
        {
            "field_count": '''def field_count(format):
    """Count the names of the fields of a format, each once."""
    return len(set(re.findall(r"\\{(\\w+)(?::[^{}]*)?\\}", format)))
''',
            "fields_shown": '''def fields_shown(format):
    """Say how many fields a format has."""
    count = field_count(format)
    return f"{count} field" if count == 1 else f"{count} fields"
''',
        },
    ),
)


def model(name: str) -> ScriptedModel:
    """The script of a feature as a model; what providers of models are made of.

    Args:
        name: The package's.

    Raises:
        ConfigError: There is no script of that name.
    """
    feature = next((one for one in FEATURES if one.name == name), None)
    if feature is None:
        known = ", ".join(one.name for one in FEATURES)
        raise ConfigError(f"There is no script {name!r}", next_step=f"Name one of {known}")
    return ScriptedModel(lambda request: _reply(feature, request), name=f"{PROVIDER}:{name}")


def _reply(feature: Feature, request: ChatRequest) -> str:
    kind = request.purpose.split()[0]
    if kind == "questions":
        return json.dumps({"questions": []})
    if kind == "plan":
        planned = [
            {"file": file, "signature": signature, "title": title, "rules": "As the request says."}
            for file, signature, title in feature.plan
        ]
        return json.dumps({"title": f"More for {feature.name}", "goal": "A small feature.", "requirements": planned})
    if kind != "code":
        return json.dumps({"cases": []})
    asked = request.messages[-1].text
    code = next(text for name, text in feature.code.items() if f"Write `{name}(" in asked)
    return f"```python\n{code}```"
