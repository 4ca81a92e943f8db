"""What stands on the page: the head, the stage, the three steps and their widgets."""

TEXT: dict[str, tuple[str, str]] = {
    # header
    "tagline": ("One photo, one camera move, one clip.", "Una foto, un movimento, un video."),
    "error": ("Error", "Errore"),
    "lost": ("Connection lost, trying again…", "Connessione persa, riprovo…"),
    "visit_gone": (
        "Your photo and clip are no longer kept here: that ends an hour after the page is closed. "
        "Drop the photo again; your settings are as they were.",
        "Qui la tua foto e il tuo video non ci sono più: restano un'ora dopo la chiusura della pagina. "
        "Trascina di nuovo la foto; le impostazioni sono come prima.",
    ),
    # stage
    "drop": ("Drop a photo of a place or a product", "Trascina la foto di un luogo o di un prodotto"),
    "choose": ("Choose a photo", "Scegli una foto"),
    "replace": ("Another photo", "Un'altra foto"),
    "kinds": (
        "JPEG, PNG, HEIC, WebP, AVIF, TIFF or raw, up to {limit} MB. The photo stays on this machine.",
        "JPEG, PNG, HEIC, WebP, AVIF, TIFF o raw, fino a {limit} MB. La foto resta su questa macchina.",
    ),
    "uploading": ("Reading the photo…", "Leggo la foto…"),
    "upload_again": (
        "Connection lost. The photo is sent again as soon as it is back…",
        "Connessione persa. La foto riparte appena torna…",
    ),
    "upload_failed": (
        "The photo did not arrive: the connection broke, or the disk here is full. Drop it again.",
        "La foto non è arrivata: la connessione è caduta, o qui il disco è pieno. Trascinala di nuovo.",
    ),
    "too_heavy": (
        "The file is over {limit} MB, the limit. Save it as JPEG and drop it again.",
        "Il file supera i {limit} MB, il limite. Salvalo in JPEG e trascinalo di nuovo.",
    ),
    "edit_path": ("Edit the path", "Modifica il percorso"),
    "stage_photo": ("Photo", "Foto"),
    "stage_preview": ("Preview", "Anteprima"),
    "stage_live": ("Rendering", "In lavorazione"),
    "stage_clip": ("Clip", "Video"),
    # what is found in a picture, and what it is made into
    "has_bars": (
        "There are bars at the {sides}, which would tilt and tear. Cut them away?",
        "Ci sono bande {sides}, che si inclinerebbero e strapperebbero. Le tolgo?",
    ),
    "has_bar": (
        "There is a bar at the {sides}, which would tilt and tear. Cut it away?",
        "C'è una banda {sides}, che si inclinerebbe e strapperebbe. La tolgo?",
    ),
    "bars_cut": ("The bars are cut away.", "Le bande sono tolte."),
    "is_panorama": (
        "This is a 360° panorama: its lines are bent, and would stay so. Use a flat view of it?",
        "È un panorama a 360°: le sue linee sono curve, e lo resterebbero. Uso una vista piana?",
    ),
    "is_flat": ("A flat view of the panorama, 90° across.", "Una vista piana del panorama, larga 90°."),
    "side_left": ("left", "a sinistra"),
    "side_top": ("top", "in alto"),
    "side_right": ("right", "a destra"),
    "side_bottom": ("bottom", "in basso"),
    "and": ("and", "e"),
    "cut_bars": ("Cut away", "Togli"),
    "flatten": ("Flat view", "Vista piana"),
    "undo": ("Undo", "Annulla"),
    "yaw": ("Look left or right, in degrees", "Guarda a sinistra o a destra, in gradi"),
    "pitch": ("Look down or up, in degrees", "Guarda in giù o in su, in gradi"),
    # steps
    "step_photo": ("Photo", "Foto"),
    "step_photo_hint": (
        "Drop your own, or start from one of these.",
        "Trascina la tua, o parti da una di queste.",
    ),
    "step_move": ("Move", "Movimento"),
    "step_move_hint": ("How should the camera travel?", "Come deve muoversi la videocamera?"),
    "step_clip": ("Clip", "Video"),
    "example": ("Example", "Esempio"),
    "risk_little": ("needs little room", "serve poco spazio"),
    "risk_some": ("needs some room", "serve spazio"),
    "risk_much": ("needs much room", "serve molto spazio"),
    "seconds": ("Seconds", "Secondi"),
    "fps": ("Frames per second", "Fotogrammi al secondo"),
    "ratio": ("Format", "Formato"),
    "ratio_photo": ("As the photo", "Come la foto"),
    "quality": ("Quality", "Qualità"),
    "quality_draft": ("Draft", "Bozza"),
    "quality_standard": ("Standard", "Standard"),
    "quality_full": ("Full HD", "Full HD"),
    "alpha": ("Transparent background", "Sfondo trasparente"),
    "alpha_off": ("Off", "No"),
    "alpha_webm": ("WebM video", "Video WebM"),
    "alpha_zip": ("PNG frames", "Fotogrammi PNG"),
    "direction": ("Direction", "Direzione"),
    "left": ("Left", "Sinistra"),
    "right": ("Right", "Destra"),
    "in": ("In", "Avanti"),
    "out": ("Out", "Indietro"),
    "advanced": ("Advanced", "Avanzate"),
    "strength": ("Strength of the move, in %", "Ampiezza del movimento, in %"),
    "focus": ("Where to crop the photo, in %", "Dove ritagliare la foto, in %"),
    "zoom": (
        "How close, in % (above 100 the camera has room to move)",
        "Quanto vicino, in % (oltre 100 la videocamera ha spazio)",
    ),
    "seed": ("Seed", "Variante (seme)"),
    "depth": ("Depth of the photo", "Profondità della foto"),
    "preview": ("Preview", "Anteprima"),
    "render": ("Render the clip", "Crea il video"),
    "cancel": ("Stop", "Ferma"),
    "estimate": (
        "About {time} · {width} × {height} · {frames} frames, {fps} a second",
        "Circa {time} · {width} × {height} · {frames} fotogrammi, {fps} al secondo",
    ),
    "estimate_unknown": (
        "{width} × {height} · {frames} frames, {fps} a second. The first clip will tell how long it takes.",
        "{width} × {height} · {frames} fotogrammi, {fps} al secondo. Il primo video dirà quanto ci vuole.",
    ),
    "too_short": (
        "Instagram, TikTok and LinkedIn take clips of {limit} seconds and more.",
        "Instagram, TikTok e LinkedIn accettano video di almeno {limit} secondi.",
    ),
    "soft": (
        "The photo has {across} × {down} pixels in this frame: the clip will look soft. {quality} suits it.",
        "La foto ha {across} × {down} pixel in questa inquadratura: il video sarà poco nitido. Va bene {quality}.",
    ),
    "soft_always": (
        "The photo has only {across} × {down} pixels in this frame: every clip will look soft. Use a larger version.",
        "La foto ha solo {across} × {down} pixel in questa inquadratura: ogni video sarà poco nitido. Usane una più "
        "grande.",
    ),
    "prompt": ("What the place is, in your words (optional)", "Che luogo è, a parole tue (facoltativo)"),
    "prompt_hint": (
        "A bright showroom with a red sofa, morning light",
        "Uno showroom luminoso con un divano rosso, luce del mattino",
    ),
    "long_prompt": (
        "The description has {letters} letters, at most {limit} are read. Shorten it.",
        "La descrizione ha {letters} lettere, se ne leggono al massimo {limit}. Accorciala.",
    ),
    # the models in use
    "drawn": ("Draw your own", "Disegna il tuo"),
    "drawn_line": ("Trace the camera's way from above", "Traccia il percorso visto dall'alto"),
    "drawn_summary": (
        "Draw the camera's way over the room. What you play in the editor is exactly what is rendered.",
        "Disegna il percorso della videocamera sulla stanza. Ciò che vedi nell'editor è proprio ciò che sarà creato.",
    ),
}
