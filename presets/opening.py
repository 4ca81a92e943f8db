"""Which library a studio uses, and what its people may do there: the operator's settings, and where data is kept."""

import getpass
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from pipelines.errors import Refused
from presets.library import Library, LocalLibrary
from presets.records import Person, Role

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
ROLES_IN_ORGANISATION = {  # Hugging Face's names for them
    "admin": Role.OWNER,
    "write": Role.CONTRIBUTOR,
    "contributor": Role.CONTRIBUTOR,
    "read": Role.VIEWER,
}


def data_folder(environment: Mapping[str, str]) -> Path:
    """Where the studio keeps what is to last: MIRAGE_DATA, or the platform's own folder for such data."""
    given = environment.get("MIRAGE_DATA", "").strip()
    return (
        Path(given).expanduser().resolve() if given else platformdirs.user_data_path("mirage-studio", appauthor=False)
    )


def open_library(environment: Mapping[str, str], name: str | None = None) -> Library:
    """The library `name`, or MIRAGE_LIBRARY: "team/name" for a dataset repository of the Hub; empty for the folder on
    this machine. Raises Refused for another value, and OSError where its folder cannot be made."""
    name = environment.get("MIRAGE_LIBRARY", "").strip() if name is None else name
    if not name:
        return LocalLibrary(data_folder(environment) / "library")
    if not REPOSITORY.fullmatch(name):
        raise Refused(
            "MIRAGE_LIBRARY is {value!r:.60}, allowed is a dataset repository of the Hub (team/name), or nothing for a "
            "folder on this machine.",
            value=name,
        )
    from presets.hub_library import HubLibrary  # its libraries take half a second to come in

    folder = data_folder(environment) / "hub"
    return HubLibrary(name, folder, endpoint=environment.get("HF_ENDPOINT"), token=environment.get("HF_TOKEN"))


def role_for_everybody(environment: Mapping[str, str], is_alone: bool) -> Role:
    """The role of who is not signed in: MIRAGE_LIBRARY_ROLE, else owner for who is alone on their machine, and viewer
    where others reach the page. Raises Refused for another value."""
    given = environment.get("MIRAGE_LIBRARY_ROLE", "").strip().lower()
    if not given:
        return Role.OWNER if is_alone else Role.VIEWER
    if given.upper() not in Role.__members__:
        raise Refused(
            "MIRAGE_LIBRARY_ROLE is {value!r:.60}, allowed is {allowed}.",
            value=given,
            allowed=", ".join(role.name.lower() for role in Role),
        )
    return Role[given.upper()]


def person_here(role: Role) -> Person:
    """Who uses the command line, or the page on their own machine."""
    try:
        return Person(getpass.getuser()[:200], role)
    except (OSError, KeyError):  # a container without users
        return Person("studio", role)


def member(who: Mapping[str, Any], namespace: str) -> Person:
    """A person who is signed in with Hugging Face. who: the answer of `whoami` for their token. namespace: of the
    library's repository; its members have the role that they have in the organisation, strangers are viewers."""
    name = str(who["name"])[:200]
    if name == namespace:
        return Person(name, Role.OWNER)
    for organisation in who.get("orgs", ()):
        if organisation.get("name") == namespace:
            return Person(name, ROLES_IN_ORGANISATION.get(organisation.get("roleInOrg"), Role.VIEWER))
    return Person(name, Role.VIEWER)
