"""The dials of the exemplar search."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SearchConfig:
    """The dials of the search. Costs are in units of the picture's variance."""

    grids: tuple[int, ...] = (64, 128)  # longer side of the grids that are searched, tokens
    rounds: tuple[int, ...] = (8, 3)  # match-and-vote rounds on each
    patch: int = 7
    along: float = 0.1  # cost of copying from a frame width away along the row
    across: float = 6.0  # and across rows
    plane: float = 0.3  # cost of copying from another plane
    reuse: float = 0.04  # cost of every further copy of the same patch
    temperature: float = 0.1  # of the votes, relative to the median cost
    offsets: int = 40  # how many offsets compete for pieces
    variety: float = 0.3  # how much a seed prefers one part of the picture over another; seed 0 prefers none
    unique: float = 0.5  # cost of copying what the picture shows only once, against how unlike all else it is
    seam: float = 0.03  # cost of a seam between two pieces, per token
    pull: float = 7.0  # how strongly the blend holds on to the copied values, in 1 / frame width
    guess: float = 0.1  # weight of the first guess against what is known, while the fill grows
    calm: float = 0.9  # how far the colours of the fill give way to the likeliest ones where in doubt
    contrast: float = 0.6  # how strong its detail is there, against that around
    broad: float = 0.023  # what is wider than this is colour and not detail, in frame widths


DEFAULT = SearchConfig()
