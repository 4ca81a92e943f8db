"""What a scene is made of: primitives with a row of numbers for each of their faces, lights, sky, and the photographer.

World axes: metres, +y up.
"""

from dataclasses import dataclass, field

import numpy as np

from pipelines.synthetic.materials.bank import TextureBank

BOX, BALL, CONE, QUAD = range(4)  # kinds of primitives
# Columns of `faces`. For flat faces uv is affine in the world point; for round ones U, V hold scale and offset.
U, V, NORMAL, TEXTURE, DENSITY, TINT, RECOLOUR, EMIT, GLOSS, ROUND = 0, 4, 8, 11, 12, 13, 16, 17, 18, 19
NUM_COLUMNS = 20


@dataclass
class Light:
    """A lamp or a window. normal None: shines everywhere, else as a flat area facing that way. size in metres."""

    position: np.ndarray
    colour: np.ndarray
    size: float = 0.3
    normal: np.ndarray | None = None


@dataclass
class GeneratedScene:
    """A place made of P primitives, packed in arrays; poses given to `render` are relative to its photo camera.

    kind (P,); axes (P, 3, 3) rows are the local axes in the world; centre, half (P, 3) metres; ends (P, 2) relative
    bottom and top radius of cones; cutout (P,) texture whose alpha shapes a quad, or -1; faces (4 P, 20) one row per
    primitive and face axis; camera (4, 4) photo camera to world; fov_degrees across the long side.
    """

    family: str
    seed: int
    bank: TextureBank
    kind: np.ndarray
    axes: np.ndarray
    centre: np.ndarray
    half: np.ndarray
    ends: np.ndarray
    cutout: np.ndarray
    casts: np.ndarray
    faces: np.ndarray
    camera: np.ndarray
    fov_degrees: float
    key_position: np.ndarray  # far away for the sun
    key_colour: np.ndarray
    key_reach: float  # metres around key_target that the shadow map covers
    key_target: np.ndarray
    sky_light: np.ndarray  # ambient light from above and below
    ground_light: np.ndarray
    close_up: bool = False  # things at arm's length: the camera may come near
    steepest: float = 15.0  # degrees that the photographer may look up
    lights: list = field(default_factory=list)
    sky_texture: int = -1  # -1: closed room, rays that miss everything are black
    sky_turn: float = 0.0
    sky_gain: float = 1.0
    haze: float = np.inf  # metres at which 63 % of the colour is haze
    mirror_height: float | None = None  # height of the reflecting plane (water, polished floor)
    exposure: float = 1.0
    white_balance: np.ndarray = field(default_factory=lambda: np.ones(3, np.float32))
    contrast: float = 0.0
    vignette: float = 0.0
    focus: float = 0.0  # metres
    blur: float = 0.0  # blur radius at infinity as a share of the width; 0 = everything sharp
    shadow_map: tuple | None = field(default=None, init=False, repr=False)  # made by the first view that is shaded
