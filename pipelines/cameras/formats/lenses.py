"""Lens models by name: which of their numbers are the pinhole part, and which are no pinhole at all.

Names and orders are COLMAP's (src/colmap/sensor/models.h), which nerfstudio, LichtFeld and others write too
(nerfstudio/process_data/process_data_utils.py, CAMERA_MODELS).
"""

from collections.abc import Iterable, Mapping

from pipelines.errors import Refused, Sentence

# Number of parameters by COLMAP's model id (the place in the table); f, cx, cy come first, or fx, fy, cx, cy.
COLMAP_MODELS = {
    "SIMPLE_PINHOLE": 3,
    "PINHOLE": 4,
    "SIMPLE_RADIAL": 4,
    "RADIAL": 5,
    "OPENCV": 8,
    "OPENCV_FISHEYE": 8,
    "FULL_OPENCV": 12,
    "FOV": 5,
    "SIMPLE_RADIAL_FISHEYE": 4,
    "RADIAL_FISHEYE": 5,
    "THIN_PRISM_FISHEYE": 12,
    "RAD_TAN_THIN_PRISM_FISHEYE": 16,
}
ONE_FOCAL = ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE")
PINHOLES = ("SIMPLE_PINHOLE", "PINHOLE", "PERSPECTIVE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV")
WITHOUT_FOCAL = ("EQUIRECTANGULAR", "SPHERICAL", "PANORAMA", "OMNIDIRECTIONALSTEREO_L", "OMNIDIRECTIONALSTEREO_R")
NO_PERSPECTIVE = ("ORTHOPHOTO", "ORTHOGRAPHIC")


def model_name(model) -> str:
    """A lens model as files of many tools spell it -> in capitals, "perspective" where there is none."""
    return str(model or "perspective").strip().upper().replace("-", "_").replace(" ", "_")


def is_fisheye(model: str) -> bool:
    return "FISHEYE" in model or model in ("FOV", "EQUIDISTANT", "EQUISOLID")


def checked_model(place: str, model: str) -> str:
    """`model`, or a ValueError that begins with `place` where nothing of it can be a pinhole."""
    if model in PINHOLES or model in WITHOUT_FOCAL or is_fisheye(model):
        return model
    raise Refused(
        "{place} has the lens model {model:.40}, which is none of {allowed} and no fisheye or panorama. Export the "
        "cameras as PINHOLE.",
        place=place,
        model=model,
        allowed=", ".join(PINHOLES),
    )


def pinhole_part(place: str, model: str, numbers: list[float]) -> tuple[list[list[float]], list[float]]:
    """K and the distortion of a COLMAP camera. Raises ValueError that begins with `place` for an unknown model or
    another number of numbers."""
    if model not in COLMAP_MODELS:
        raise Refused(
            "{place} has the model {model:.30}, only {allowed} are read. Undistort the pictures with colmap "
            "image_undistorter first.",
            place=place,
            model=model,
            allowed=", ".join(COLMAP_MODELS),
        )
    if len(numbers) != COLMAP_MODELS[model]:
        raise Refused(
            "{place} has {got} numbers where {count} belong. Export the model again.",
            place=place,
            got=len(numbers),
            count=COLMAP_MODELS[model],
        )
    if model in ONE_FOCAL:
        numbers = [numbers[0], *numbers]
    fx, fy, cx, cy, *distortion = numbers
    return [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], distortion


def left_out(lenses: Iterable[tuple[str, Mapping[str, float]]]) -> list[Sentence]:
    """What is lost when lenses are read as pinholes, one sentence for each kind. lenses: model and distortion of each;
    what is 0 distorts nothing."""
    notes = {}
    for model, distortion in lenses:
        bent = ", ".join(f"{name}={value:.4g}" for name, value in distortion.items() if value)
        if model in WITHOUT_FOCAL:
            notes[model] = Sentence(
                "The pictures are panoramas (lens model {model}), which a clip is not: the way of the cameras is read, "
                "looking at the middle of each panorama, with another lens.",
                model=model,
            )
        elif is_fisheye(model):
            notes[model] = Sentence(
                "The pictures are of a fisheye (lens model {model}), which a clip is not: the way of the cameras is "
                "read, with a straight lens of the same focal length.",
                model=model,
            )
        elif bent and "bent" not in notes:
            notes["bent"] = Sentence(
                "Lens distortion is left out ({distortion:.80}): the way of the cameras and the pinhole part of the "
                "lens are read.",
                distortion=bent,
            )
    return list(notes.values())
