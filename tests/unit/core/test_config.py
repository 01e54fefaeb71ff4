"""Settings: the user's file, and what a workspace may say."""

import pytest

from agentinfra.core.config import data_folder, load_settings, user_config_file, workspace_folder
from agentinfra.core.errors import ConfigError


@pytest.fixture
def config(tmp_path, monkeypatch):
    """The user's settings file, as yet not there."""
    path = tmp_path / "home" / "config.toml"
    path.parent.mkdir()
    monkeypatch.setenv("AGENTINFRA_CONFIG", str(path))
    return path


@pytest.fixture
def workspace(tmp_path):
    """A folder whose settings name a planner."""
    folder = tmp_path / "work"
    (folder / ".agentinfra").mkdir(parents=True)
    (folder / ".agentinfra" / "settings.toml").write_text('planner = "codex:Codex"\nmax_attempts = 9\n')
    return folder


def test_without_files_there_are_defaults(config, tmp_path):
    settings = load_settings(tmp_path)
    assert (settings.max_attempts, settings.parallel, settings.planner, settings.trusted) == (3, 2, None, ())
    assert (settings.models.default, settings.models.aliases) == (None, {})
    assert settings.index.embedder == "auto"


def test_the_users_file_is_read(config, tmp_path):
    config.write_text(
        'max_attempts = 5\nplanner = "mine:Planner"\n[models]\ndefault = "local:small"\n'
        '[models.aliases]\n"openai:o1" = "local:small"\n'
    )
    settings = load_settings(tmp_path)
    assert (settings.max_attempts, settings.planner, settings.models.default) == (5, "mine:Planner", "local:small")
    assert settings.models.aliases == {"openai:o1": "local:small"}


def test_models_have_others_behind_them_and_providers_have_limits(config, tmp_path):
    config.write_text(
        '[models.fallbacks]\n"openai:gpt-5" = ["anthropic:x", "local:small"]\n'
        "[models.limits.openai]\nconcurrency = 4\ntokens_per_minute = 30_000\n"
    )
    models = load_settings(tmp_path).models
    assert models.fallbacks == {"openai:gpt-5": ("anthropic:x", "local:small")}
    limits = {"concurrency": 4, "requests_per_minute": None, "tokens_per_minute": 30_000}
    assert {name: dict(one) for name, one in models.limits.items()} == {"openai": limits}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("max_attempts = 0", "max_attempts"),
        ("max_attempts = 21", "max_attempts"),
        ('max_attempts = "many"', "max_attempts"),
        ("parallel = 65", "parallel"),
        ("models = 3", "models"),
        ("[models]\naliases = { a = 1 }", r"models\.aliases\.a"),
        ("[models]\nkey = 'secret'", r"models\.key"),
        ("[models]\nfallbacks = { a = 'b' }", r"models\.fallbacks\.a"),
        ("[models]\nfallbacks = { a = [] }", r"models\.fallbacks\.a"),
        ("[models]\nfallbacks = { a = ['b', ''] }", r"models\.fallbacks\.a\.1"),
        ("[models.limits]\nopenai = 8", r"models\.limits\.openai"),
        ("[models.limits.openai]\nconcurrency = 0", r"models\.limits\.openai\.concurrency"),
        ("[models.limits.openai]\nrequests_per_minute = 1.5", r"models\.limits\.openai\.requests_per_minute"),
        ("[models.limits.openai]\nper_minute = 8", r"models\.limits\.openai\.per_minute"),
        ("colour = 'red'", "colour"),
        ("trusted = 'all'", "trusted"),
    ],
)
def test_a_wrong_value_is_named_with_its_file(config, tmp_path, text, told):
    config.write_text(text)
    with pytest.raises(ConfigError, match=rf"^{told} in .*config\.toml is wrong\. .+\. Correct it\.$"):
        load_settings(tmp_path)


@pytest.mark.parametrize("content", [b"max_attempts = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_a_file_that_cannot_be_read_is_named(config, tmp_path, content):
    config.write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\.toml cannot be read\. .+ Correct or remove it"):
        load_settings(tmp_path)


def test_a_folder_in_the_place_of_the_file_is_an_error(config, tmp_path):
    config.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path)


def test_a_workspaces_planner_is_refused_where_the_folder_is_not_trusted(config, workspace):
    with pytest.raises(ConfigError) as caught:
        load_settings(workspace)
    assert "the folder is not trusted" in caught.value.what
    assert caught.value.why == "Its code would run with your rights"
    assert f'Add "{workspace}" to trusted in {config}' in caught.value.next_step


@pytest.mark.parametrize("named", ["{workspace}", "{workspace}/", "{workspace}/../work"])
def test_a_trusted_workspace_may_name_its_planner_and_nothing_else(config, workspace, named):
    config.write_text(f'trusted = ["{named.format(workspace=workspace)}"]\n')
    settings = load_settings(workspace)
    assert (settings.planner, settings.max_attempts) == ("codex:Codex", 3)


def test_trust_is_not_inherited_from_the_folder_above(config, workspace):
    config.write_text(f'trusted = ["{workspace.parent}"]\n')
    with pytest.raises(ConfigError, match="not trusted"):
        load_settings(workspace)


def test_a_link_to_a_workspace_is_the_workspace(config, workspace, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(workspace)
    config.write_text(f'trusted = ["{link}"]\n')
    assert load_settings(workspace).planner == "codex:Codex"
    assert load_settings(link).planner == "codex:Codex"


def test_the_users_own_planner_goes_first(config, workspace):
    config.write_text('planner = "mine:Planner"\n')
    assert load_settings(workspace).planner == "mine:Planner"


def test_where_the_person_names_a_planner_the_workspaces_is_not_looked_at(config, workspace):
    assert load_settings(workspace, own_planner=False).planner is None


def test_a_workspaces_planner_has_to_be_text(config, workspace):
    config.write_text(f'trusted = ["{workspace}"]\n')
    (workspace / ".agentinfra" / "settings.toml").write_text("planner = 3\n")
    with pytest.raises(ConfigError, match=r"planner in .*settings\.toml is no text\. Write it as module:Class"):
        load_settings(workspace)


def test_folders_can_be_moved_by_the_environment(config, monkeypatch, tmp_path):
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path / "data"))
    assert (data_folder(), user_config_file()) == (tmp_path / "data", config)
    monkeypatch.delenv("AGENTINFRA_DATA_DIR")
    monkeypatch.delenv("AGENTINFRA_CONFIG")
    assert data_folder().name == "agentinfra" and user_config_file().parts[-2:] == ("agentinfra", "config.toml")


def test_every_workspace_has_a_folder_of_its_own_with_a_name_that_can_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("AGENTINFRA_DATA_DIR", str(tmp_path / "data"))
    one, other = workspace_folder(tmp_path / "a" / "My app!"), workspace_folder(tmp_path / "b" / "My app!")
    assert one.parent == tmp_path / "data" / "workspaces"
    assert one.name.startswith("My-app-")
    assert one != other
    assert workspace_folder(tmp_path / "a" / ".." / "a" / "My app!") == one
    assert workspace_folder(tmp_path / "\udcff", tmp_path).parent == tmp_path / "workspaces"


def test_the_embedder_of_the_index_is_one_of_those_that_there_are(config, tmp_path):
    config.write_text('[index]\nembedder = "minilm"\n')
    assert load_settings(tmp_path).index.embedder == "minilm"
    config.write_text('[index]\nembedder = "best"\n')
    with pytest.raises(ConfigError, match=r"index\.embedder"):
        load_settings(tmp_path)
