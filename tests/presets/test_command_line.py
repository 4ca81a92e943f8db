"""`python -m presets`, and the settings that say which library it is and what people may do there."""

import json
from pathlib import Path

import pytest
from fake_library_hub import REPO, FakeLibraryHub
from team import BRUNO, PUSH_IN, edit

from pipelines.errors import Refused
from presets import records
from presets.__main__ import main
from presets.exchange import exported, packed
from presets.library import LocalLibrary
from presets.opening import data_folder, member, open_library, role_for_everybody
from presets.records import Role
from presets.schema import json_schema


@pytest.fixture
def library(tmp_path, monkeypatch):
    """The folder on this machine, with one preset, and a Hub that the command line finds."""
    monkeypatch.setenv("MIRAGE_DATA", str(tmp_path))
    monkeypatch.delenv("MIRAGE_LIBRARY", raising=False)
    library = LocalLibrary(tmp_path / "library")
    version = records.duplicated(PUSH_IN, BRUNO, "Our push-in")
    library.change(version.preset.id, lambda _: version)
    return library


@pytest.fixture
def hub(monkeypatch, tmp_path):
    hub = FakeLibraryHub({})
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    yield hub
    hub.shutdown()


def id_of(library):
    [id] = library.catalogue().records
    return id


def test_list_and_show_read_the_shipped_presets_and_the_team_s(library, capsys):
    id = id_of(library)
    edit(library, id, "Renamed")
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:2] == ["push-in", "move"] for line in lines) and lines[-1].endswith("Renamed")
    assert main(["show", id]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["name"]["en"] == "Renamed"
    assert "created by Bruno" in err and "edited by Bruno (current)" in err
    assert main(["show", "push-in"]) == 0 and json.loads(capsys.readouterr().out)["id"] == "push-in"
    assert main(["show", "../x"]) == 1 and "is no preset's id" in capsys.readouterr().err


def test_check_names_what_is_wrong(library, capsys, tmp_path):
    good, bad, pack = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "pack.zip"
    good.write_bytes(exported(PUSH_IN))
    bad.write_bytes(b'{"kind": "move"}')
    pack.write_bytes(packed([PUSH_IN]))
    assert main(["check", str(good), str(pack)]) == 0
    assert capsys.readouterr().out.count("is in order") == 2
    assert main(["check", str(good), str(bad), str(tmp_path / "none.json")]) == 1
    assert "bad.json: id: it is missing" in capsys.readouterr().out


def test_push_pull_and_diff_bring_two_machines_to_the_same(library, hub, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MIRAGE_LIBRARY", REPO)
    id = id_of(library)
    assert main(["diff"]) == 1 and "1 versions only here, 0 only there: Our push-in" in capsys.readouterr().out
    assert main(["push"]) == 0 and f"presets/{id}.json" in hub.files
    assert main(["diff"]) == 0 and "no difference" in capsys.readouterr().out
    monkeypatch.setenv("MIRAGE_DATA", str(tmp_path / "other"))
    assert main(["pull"]) == 0
    other = LocalLibrary(tmp_path / "other" / "library")
    assert other.catalogue() == library.catalogue()
    edit(other, id, "Elsewhere")
    assert main(["push"]) == 0 and len(hub.history) == 3
    hub.refuses = 403
    edit(other, id, "Refused")
    assert main(["push"]) == 1 and "refuses the studio's token" in capsys.readouterr().err
    hub.refuses = None
    assert main(["push"]) == 0 and len(hub.history) == 4


def test_push_needs_a_library_on_the_hub(library, capsys):
    assert main(["push"]) == 1 and "MIRAGE_LIBRARY" in capsys.readouterr().err


def test_the_schema_in_the_docs_is_that_of_the_code(capsys):
    page = Path(__file__).parents[2] / "docs" / "preset.schema.json"
    assert json.loads(page.read_text()) == json_schema(), "run: python -m presets schema > docs/preset.schema.json"


# ---- settings ---------------------------------------------------------------------------------------------------


def test_data_is_kept_where_the_operator_or_the_platform_says(tmp_path):
    assert data_folder({"MIRAGE_DATA": str(tmp_path)}) == tmp_path
    assert data_folder({}).name == "mirage-studio"
    assert open_library({"MIRAGE_DATA": str(tmp_path)}).folder == tmp_path / "library" / "presets"


@pytest.mark.parametrize("name", ["team", "a b/c", "../x", "team/name/more", "/team/name"])
def test_a_library_is_a_repository_or_nothing(name, tmp_path):
    with pytest.raises(Refused, match="MIRAGE_LIBRARY is"):
        open_library({"MIRAGE_DATA": str(tmp_path), "MIRAGE_LIBRARY": name})


def test_roles_come_from_the_operator_or_the_organisation():
    assert role_for_everybody({}, is_alone=True) == Role.OWNER
    assert role_for_everybody({}, is_alone=False) == Role.VIEWER
    assert role_for_everybody({"MIRAGE_LIBRARY_ROLE": "Contributor"}, is_alone=False) == Role.CONTRIBUTOR
    with pytest.raises(Refused, match="'boss', allowed is viewer, contributor, owner"):
        role_for_everybody({"MIRAGE_LIBRARY_ROLE": "boss"}, is_alone=True)
    who = {"name": "anna", "orgs": [{"name": "other", "roleInOrg": "admin"}, {"name": "team", "roleInOrg": "write"}]}
    assert member(who, "team") == ("anna", Role.CONTRIBUTOR)
    assert member(who, "anna").role == Role.OWNER and member(who, "stranger").role == Role.VIEWER
    assert member({"name": "anna", "orgs": [{"name": "team"}]}, "team").role == Role.VIEWER
