"""People of a team and what they do with its library, for tests."""

from presets import records
from presets.records import Person, Role
from presets.schema import load_moves

ANNA = Person("Anna", Role.OWNER)
BRUNO = Person("Bruno", Role.CONTRIBUTOR)
CARLA = Person("Carla", Role.VIEWER)
PUSH_IN = load_moves()["push-in"]


def renamed(preset, name):
    return records.revalidated(preset, {"name": preset.name.model_copy(update={"en": name, "it": name})})


def edit(library, id, name, person=BRUNO, base=None):
    def change(record):
        return records.edited(record, renamed(record.current.preset, name), person, base or record.current.key)

    return library.change(id, change)
