"""The places by name: each family fills a Builder with a scene, its light, and where a photographer would stand."""

from pipelines.synthetic import close_ups, held_out, interiors, outdoors

# A seed draws its family by place in this list: a new one goes to the end, or seeds give other scenes
_BUILDS = (
    interiors.room,
    interiors.hotel,
    interiors.attic,
    interiors.showroom,
    interiors.shop,
    interiors.office,
    interiors.corridor,
    interiors.restaurant,
    close_ups.tabletop,
    close_ups.spread,
    close_ups.shelves,
    outdoors.street,
    outdoors.facade,
    outdoors.upward,
    outdoors.monument,
    outdoors.garden,
    held_out.gallery,
    held_out.kitchen,
    held_out.arcade,
    close_ups.carton,
    close_ups.handheld,
    interiors.hall,
    outdoors.square,
)
FAMILIES = {build.__name__: build for build in _BUILDS}
