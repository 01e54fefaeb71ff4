import pytest

from agentinfra.core.errors import PatchError
from agentinfra.patching.edited import edited

FILE = "def f():\n    return 1\n"
NEW = "def f():\n    return 2\n"


@pytest.mark.parametrize(
    "reply",
    [
        "app.py\n```python\n<<<<<<< SEARCH\n    return 1\n=======\n    return 2\n>>>>>>> REPLACE\n```\n",
        "*** Begin Patch\n*** Update File: ./app.py\n@@\n-    return 1\n+    return 2\n*** End Patch\n",
        "```diff\n--- a/app.py\n+++ b/app.py\n@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2\n```\n",
    ],
)
def test_a_patch_is_applied(reply: str) -> None:
    assert edited(reply, "app.py", FILE) == NEW


@pytest.mark.parametrize(
    "reply",
    [
        "I cannot.",
        "```python\ndef f():\n    return 2\n```",
        "app.py\n```python\ndef f():\n    return 2\n# ... rest of the code unchanged ...\n",
    ],
)
def test_a_reply_without_a_patch_is_left_to_others(reply: str) -> None:
    assert edited(reply, "app.py", FILE) is None


def test_a_new_file_may_come_as_a_patch() -> None:
    assert edited("*** Begin Patch\n*** Add File: app.py\n+x = 1\n*** End Patch", "app.py", "") == "x = 1\n"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("other.py\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n", "changes other.py"),
        ("*** Begin Patch\n*** Update File: app.py\n*** Move to: b.py\n*** End Patch\n", "changes b.py"),
        ("*** Begin Patch\n*** Delete File: app.py\n*** End Patch\n", "deletes app.py"),
        ("app.py\n<<<<<<< SEARCH\nnot there\n=======\nb\n>>>>>>> REPLACE\n", "do not fit"),
        ("app.py\n<<<<<<< SEARCH\n", "no end"),
    ],
)
def test_what_cannot_be_applied_is_refused(reply: str, told: str) -> None:
    with pytest.raises(PatchError, match=told):
        edited(reply, "app.py", FILE)
