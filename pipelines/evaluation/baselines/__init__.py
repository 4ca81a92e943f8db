"""What the model is compared with, in the same run: each file leaves out one part of the method. No torch here."""

from collections.abc import Sequence

BASELINES = ("none", "rgb", "append", "smooth")
OF_EMBEDDED = ("rgb", "append", "smooth")  # they replace a part of the embedded model, so others have none of them


def chosen(asked: Sequence[str] | None, offered: Sequence[str], is_embedded: bool) -> list[str]:
    """The baselines that a suite runs for a model: those that were asked for, in the order of `offered`; or all it can.

    Raises ValueError where one was asked for that is not for this model.
    """
    impossible = () if is_embedded else OF_EMBEDDED
    if wrong := [name for name in asked or () if name in impossible]:
        raise ValueError(f"--baseline {wrong[0]} is for the embedded model only. Leave it out.")
    return [name for name in offered if name in (asked or offered) and name not in impossible]
