"""What the page answers to what it cannot do, and what it calls fields and their choices there."""

TEXT: dict[str, tuple[str, str]] = {
    "need_photo": (
        "There is no photo yet. Drop one, or choose an example.",
        "Non c'è ancora una foto. Trascinane una o scegli un esempio.",
    ),
    "need_move": (
        "No move is chosen yet. Choose one of the cards.",
        "Nessun movimento scelto. Scegli una delle schede.",
    ),
    "need_path": ("Draw the camera's way first.", "Prima disegna il percorso della videocamera."),
    "bad_path": ("This path cannot be used: {reason}", "Questo percorso non si può usare: {reason}"),
    "path_start": (
        "The path does not begin at the photo's camera. Let its first point be position 0, 0, 0, looking straight on.",
        "Il percorso non comincia dalla videocamera della foto. Il primo punto sia 0, 0, 0, con lo sguardo diritto.",
    ),
    "long_path": (
        "The text has {letters} letters, at most {limit} are read. Shorten the path.",
        "Il testo ha {letters} lettere, se ne leggono al massimo {limit}. Accorcia il percorso.",
    ),
    "not_json": (
        "This text is not a path. Paste one that was copied from here.",
        "Questo testo non è un percorso. Incollane uno copiato da qui.",
    ),
    "bad_value": (
        "{name} is {value}, allowed is {allowed}. Choose it again on the page.",
        "{name}: il valore è {value}, è ammesso {allowed}. Scegli di nuovo nella pagina.",
    ),
    "not_an_upload": (
        "This file was not uploaded here. Drop the photo again.",
        "Questo file non è stato caricato qui. Trascina di nuovo la foto.",
    ),
    "busy": (
        "A clip of yours is still in the making. Wait for it, or stop it first.",
        "Un tuo video è ancora in lavorazione. Aspettalo o fermalo prima.",
    ),
    "engine_error": ("The engine refused: {reason}", "Il motore ha rifiutato: {reason}"),
    "unexpected": (
        "Something went wrong inside ({reason}). Your photo is kept; try again.",
        "Qualcosa è andato storto ({reason}). La foto è salva; riprova.",
    ),
    "not_saved": (
        "A file could not be written: the disk may be full. Free some space and try again.",
        "Un file non è stato scritto: forse il disco è pieno. Libera spazio e riprova.",
    ),
    # what `bad_value` calls the widgets, and a choice that no widget names
    "field_move": ("move", "movimento"),
    "field_seconds": ("seconds", "secondi"),
    "field_format": ("format", "formato"),
    "field_quality": ("quality", "qualità"),
    "field_rate": ("frames per second", "fotogrammi al secondo"),
    "field_direction": ("direction", "direzione"),
    "field_strength": ("strength", "ampiezza"),
    "field_crop": ("crop", "ritaglio"),
    "field_closeness": ("closeness", "vicinanza"),
    "field_seed": ("seed", "seme"),
    "field_example": ("example", "esempio"),
    "field_repair": ("repair", "correzione"),
    "field_fix": ("fix", "correzione"),
    "field_description": ("description", "descrizione"),
    "field_depth": ("depth", "profondità"),
    "field_alpha": ("transparent background", "sfondo trasparente"),
    "field_yaw": ("view direction", "direzione della vista"),
    "field_pitch": ("view up or down", "vista in su o in giù"),
    "kind_text": ("text", "testo"),
    "empty": ("empty", "vuoto"),
}

# The words of a widget's choices on the page, by their keys
CHOICES = {
    "format": "ratio_{}",
    "quality": "quality_{}",
    "direction": "{}",
    "depth": "depth_{}",
    "alpha": "alpha_{}",
    "description": "kind_{}",
}
