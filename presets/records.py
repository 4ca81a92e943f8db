"""A preset's life in a library: every change is a version, and none is ever taken away.

A record is a set of versions; each names the versions it was made from, as commits do in git. Two people who change the
same version at once make two branches: the one that arrived first stays what the gallery shows, the other waits beside
it until someone chooses (`merged`). Joining two copies of a record is the union of their versions, so it cannot lose
one, whatever the order in which they arrive.
"""

import json
import secrets
from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.errors import Refused, Sentence
from presets.reading import SCHEMA, checked
from presets.schema import Line, Preset, Slug

MAX_VERSIONS = 1000
MAX_RECORD_BYTES = 16 * 2**20

Key = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Change = Literal[
    "created",
    "edited",
    "restored",
    "merged",
    "approved",
    "unapproved",
    "locked",
    "unlocked",
    "archived",
    "brought back",
]


class Role(IntEnum):
    """What a person may do with the team's presets; each may do what those before it may."""

    VIEWER = 0  # use them
    CONTRIBUTOR = 1  # make and change them
    OWNER = 2  # approve and lock them, and change those that are


ROLES = {
    Role.VIEWER: Sentence("viewer"),
    Role.CONTRIBUTOR: Sentence("contributor"),
    Role.OWNER: Sentence("owner"),
}


class Person(NamedTuple):
    """Who asks. name: as the history shows it."""

    name: str
    role: Role


class Version(BaseModel):
    """One change. key: random. parents: the versions it was made from, none for the first. at: UTC. by: who. change:
    what was done. preset: as it is since then; `approved`, `locked`, `archived` likewise."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    key: Key
    parents: tuple[Key, ...] = Field(max_length=16)
    at: datetime
    by: Line
    change: Change
    approved: bool = False
    locked: bool = False
    archived: bool = False
    preset: Preset

    @property
    def content(self) -> dict:
        """What the preset says, without the number of its version."""
        return self.preset.model_dump(exclude={"version"})

    @property
    def state(self) -> tuple[bool, bool, bool]:
        return self.approved, self.locked, self.archived


class Record(BaseModel):
    """All versions of one preset, in the order of their arrival."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_by_name=True)

    schema_: Literal[1] = Field(default=SCHEMA, alias="schema")
    id: Slug
    versions: tuple[Version, ...] = Field(min_length=1, max_length=MAX_VERSIONS)

    @model_validator(mode="after")
    def _is_whole(self) -> "Record":
        known: set[str] = set()
        for version in self.versions:
            if version.key in known or not known.issuperset(version.parents):
                raise ValueError(f"version {version.key} stands twice, or before what it was made from")
            if version.preset.id != self.id:
                raise ValueError(f"version {version.key} is of the preset {version.preset.id!r:.60}")
            known.add(version.key)
        if [version.key for version in self.versions if not version.parents] != [self.versions[0].key]:
            raise ValueError("it begins twice")
        return self

    def version(self, key: str) -> Version:
        for version in self.versions:
            if version.key == key:
                return version
        raise Refused("The preset {name} has no version {key:.20}. Reload the page.", name=self.name, key=key)

    def number(self, key: str) -> int:
        """The place of a version, counted from 1 in the order of arrival."""
        return [version.key for version in self.versions].index(key) + 1

    @property
    def current(self) -> Version:
        """What the gallery shows: from the first version on, always the change that arrived first."""
        now = self.versions[0]
        for version in self.versions:  # a version comes after those it was made from
            if now.key in version.parents:
                now = version
        return now

    @property
    def others(self) -> tuple[Version, ...]:
        """Ends of other branches, which wait for someone to choose."""
        parents = {key for version in self.versions for key in version.parents}
        return tuple(v for v in self.versions if v.key not in parents and v.key != self.current.key)

    @property
    def name(self) -> str:
        return self.current.preset.name.en

    def joined(self, versions: tuple[Version, ...]) -> "Record":
        """With the versions of another copy that are not here yet."""
        here = {version.key for version in self.versions}
        new = tuple(version for version in versions if version.key not in here)
        if not new:
            return self
        if len(self.versions) + len(new) > MAX_VERSIONS:
            raise Refused(
                "The preset {name} has {count} versions, the limit is {limit}. Duplicate it and go on with the copy.",
                name=self.name,
                count=len(self.versions),
                limit=MAX_VERSIONS,
            )
        return Record(id=self.id, versions=self.versions + new)


# ---- changes: what each makes of a record; None where nothing would change ------------------------------------------


def created(preset: Preset, person: Person) -> Version:
    """The first version of a new record. Give the preset an id with `new_id` first."""
    _require(Role.CONTRIBUTOR, person)
    return _version((), "created", person, preset.model_copy(update={"version": 1}))


def edited(record: Record, preset: Preset, person: Person, base: str) -> Version | None:
    """`preset` in place of the version `base`, which the person had before them. If it is not the current one any more,
    both are kept. What was approved is so no longer."""
    before = record.version(base)
    _require_open(record, person)
    after = _version(
        (base,), "edited", person, _numbered(record, preset), locked=before.locked, archived=before.archived
    )
    return after if after.content != before.content else None


def restored(record: Record, key: str, person: Person) -> Version | None:
    """The content of an earlier version as the newest."""
    _require_open(record, person)
    chosen, now = record.version(key), record.current
    after = _version((now.key,), "restored", person, _numbered(record, chosen.preset), locked=now.locked)
    return after if (after.content, after.state) != (now.content, now.state) else None


def merged(record: Record, preset: Preset, person: Person) -> Version | None:
    """`preset` in place of the current version and all others that wait beside it."""
    _require_open(record, person)
    if not record.others:
        return None
    ends = (record.current, *record.others)
    locked = any(version.locked for version in ends)
    return _version(tuple(end.key for end in ends), "merged", person, _numbered(record, preset), locked=locked)


STATES: dict[str, tuple[str, bool, Role]] = {  # change -> what it sets, to what, and who may
    "approved": ("approved", True, Role.OWNER),
    "unapproved": ("approved", False, Role.OWNER),
    "locked": ("locked", True, Role.OWNER),
    "unlocked": ("locked", False, Role.OWNER),
    "archived": ("archived", True, Role.CONTRIBUTOR),
    "brought back": ("archived", False, Role.CONTRIBUTOR),
}


def marked(record: Record, change: str, person: Person) -> Version | None:
    """The current version approved, locked, archived, or no longer so. change: a key of STATES."""
    name, value, role = STATES[change]
    _require(role, person)
    if role < Role.OWNER:
        _require_open(record, person)
    now = record.current
    if getattr(now, name) == value:
        return None
    state = {"approved": now.approved, "locked": now.locked, "archived": now.archived, name: value}
    return _version((now.key,), change, person, _numbered(record, now.preset), **state)


def duplicated(preset: Preset, person: Person, name: str) -> Version:
    """The first version of a copy under a new id and name, by `person`."""
    copy = {"id": new_id(), "name": preset.name.model_copy(update={"en": name, "it": name}), "author": person.name}
    return created(revalidated(preset, copy), person)


def revalidated(preset: Preset, changes: dict) -> Preset:
    """A copy with other values, checked like a stranger's file. Raises Refused that names the field."""
    content = preset.model_copy(update=changes).model_dump_json(by_alias=True)
    return checked(type(preset), json.loads(content), preset.id)


def new_id() -> str:
    """Random: names are never file names."""
    return f"t-{secrets.token_hex(6)}"


def _version(parents: tuple[str, ...], change: str, person: Person, preset: Preset, **state: bool) -> Version:
    at = datetime.now(UTC).replace(microsecond=0)
    return Version(
        key=secrets.token_hex(8), parents=parents, at=at, by=person.name, change=change, preset=preset, **state
    )


def _numbered(record: Record, preset: Preset) -> Preset:
    return preset.model_copy(update={"id": record.id, "version": len(record.versions) + 1})


def _require(role: Role, person: Person) -> None:
    if person.role < role:
        raise Refused(
            "This takes the role {needed}, yours is {role}. Ask an owner of the library.",
            needed=ROLES[role],
            role=ROLES[person.role],
        )


def _require_open(record: Record, person: Person) -> None:
    """A contributor changes what is neither approved nor locked."""
    _require(Role.CONTRIBUTOR, person)
    if (record.current.approved or record.current.locked) and person.role < Role.OWNER:
        raise Refused(
            "{name} is {state}: only an owner of the library changes it. Duplicate it and change the copy.",
            name=record.name,
            state=Sentence("approved") if record.current.approved else Sentence("locked"),
        )
