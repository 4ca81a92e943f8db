"""Small drawings of the moves for the cards: one room, three layers, moved by studio.css. Static text only."""

# The further a layer is, the less it moves: that is what makes the card read as a camera and not as a slide
_FAR = (
    '<g class="far"><rect x="-40" y="-30" width="176" height="71" class="wall"/>'
    '<rect x="-40" y="41" width="176" height="50" class="floor"/>'
    '<rect x="13" y="9" width="22" height="21" class="light"/><path d="M24 9v21M13 19.5h22" class="thin"/>'
    '<rect x="62" y="12" width="15" height="11" class="line"/></g>'
)
_MID = (
    '<g class="mid"><path d="M30 46v-9q0-3 3-3h30q3 0 3 3v9" class="body"/>'
    '<path d="M26 50v-8q0-2.5 2.5-2.5T31 42v3h34v-3q0-2.5 2.5-2.5T70 42v8z" class="seat"/>'
    '<path d="M29 50v3M67 50v3M48 35v9" class="thin"/></g>'
)
_NEAR = (
    '<g class="near"><path d="M83 60q-1-9-8-13q8 0 10 6q0-11 7-16q2 9-3 16q4-4 9-3q-3 7-11 10z" class="leaf"/>'
    '<path d="M80 58h12l-1.5 9h-9z" class="pot"/></g>'
)
_ARROW = '<path d="M-3.2-3.2L0 0L-3.2 3.2" transform="translate({x} {y}) rotate({turn})"/>'


def _arrow(x: float, y: float, turn: float) -> str:
    return _ARROW.format(x=x, y=y, turn=turn)


_CORNERS = "M20 18v-5h7M76 18v-5h-7M20 42v5h7M76 42v5h-7"
_MARKS = {
    "push-in": '<path d="M8 6L24 15M88 6L72 15M8 54L24 45M88 54L72 45"/>'
    + _arrow(24, 15, 29)
    + _arrow(72, 15, 151)
    + _arrow(24, 45, -29)
    + _arrow(72, 45, -151),
    "pull-back": '<path d="M8 6L24 15M88 6L72 15M8 54L24 45M88 54L72 45"/>'
    + _arrow(8, 6, 209)
    + _arrow(88, 6, -29)
    + _arrow(8, 54, 151)
    + _arrow(88, 54, 29),
    "side-slide": '<path d="M26 54H70"/>' + _arrow(70, 54, 0),
    "gentle-arc": '<path d="M22 46Q48 63 74 46"/>' + _arrow(74, 46, -34),
    "look-around": '<path d="M22 12Q48 1 74 12"/>' + _arrow(74, 12, 24) + _arrow(22, 12, 156),
    "parallax-breath": '<ellipse cx="48" cy="30" rx="24" ry="12"/>' + _arrow(48, 18, 0),
    "there-and-back": '<path d="M40 54V20M56 20V54"/>' + _arrow(40, 20, -90) + _arrow(56, 54, 90),
    "lens-zoom": f'<path d="{_CORNERS}"/><path d="M32 26v-4h5M64 26v-4h-5M32 34v4h5M64 34v4h-5" class="faint"/>',
    "drawn": '<path d="M22 50C34 20 46 52 60 30S78 22 80 14"/><circle cx="22" cy="50" r="3" class="dot"/>'
    + _arrow(80, 14, -70),
    "steady-hold": f'<path d="{_CORNERS}"/><circle cx="48" cy="30" r="1.6" class="dot"/>',
}


def drawing(move: str) -> str:
    """The SVG of a move by its registered name; a move without a drawing of its own gets the plain room."""
    known = move if move in _MARKS else "plain"
    mark = f'<g class="mark">{_MARKS.get(move, "")}</g>'
    return (
        f'<svg class="drawing {known}" viewBox="0 0 96 60" preserveAspectRatio="xMidYMid slice" aria-hidden="true">'
        f"{_FAR}{_MID}{_NEAR}{mark}</svg>"
    )
