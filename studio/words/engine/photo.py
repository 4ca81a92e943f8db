"""Of the photo as a place: its frame and its depth."""

SENTENCES = {
    # frame
    "focus={focus!r} must be 0 (left or top) to 1 (right or bottom). Use 0.5.": (
        "focus={focus!r} deve andare da 0 (sinistra o alto) a 1 (destra o basso). Usa 0.5."
    ),
    "zoom={zoom!r} must be 1 (the whole photo) to {limit:g}. Use 1.": (
        "zoom={zoom!r} deve andare da 1 (tutta la foto) a {limit:g}. Usa 1."
    ),
}
