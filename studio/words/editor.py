"""What the path editor says, in plain words."""

# Said by the editor's scripts, which fill in the figures themselves
SCRIPT: dict[str, tuple[str, str]] = {
    "editor": ("Camera path editor", "Editor del percorso"),
    "tools": ("Tools", "Strumenti"),
    "above": ("From above", "Dall'alto"),
    "above_tip": (
        "The room. Arrows move the chosen point, page up and down lift it, shift with arrows turns it.",
        "La stanza. Le frecce spostano il punto scelto, pagina su e giù lo alzano, maiuscole e frecce lo girano.",
    ),
    "around": ("In 3D", "In 3D"),
    "around_tip": (
        "The place from anywhere: drag to go round it",
        "Il luogo da ogni lato: trascina per girarci attorno",
    ),
    "height_of": ("Height of the point", "Altezza del punto"),
    "eye_level_tip": (
        "How high above the floor the photo was taken: all metres follow from it",
        "Da che altezza sul pavimento è stata scattata la foto: ne dipendono tutti i metri",
    ),
    "height_tip": (
        "Drag up or down to lift or lower the camera",
        "Trascina su o giù per alzare o abbassare la videocamera",
    ),
    "camera": ("Through the camera", "Inquadratura"),
    "draw": ("Draw", "Disegna"),
    "draw_tip": ("Draw the camera's way in one stroke", "Disegna il percorso in un tratto"),
    "draw_hint": (
        "Press, and draw the way the camera should go",
        "Premi e disegna la strada della videocamera",
    ),
    "empty_hint": ("Drag from the camera to draw its way", "Trascina dalla videocamera per disegnarne la strada"),
    "look": ("Look at", "Guarda"),
    "look_tip": ("Choose the point that the camera looks at", "Scegli il punto che la videocamera guarda"),
    "look_hint": ("Click what the camera should look at", "Clicca ciò che la videocamera deve guardare"),
    "orbit": ("Orbit", "Orbita"),
    "orbit_tip": ("Travel on an arc round a point", "Gira ad arco attorno a un punto"),
    "orbit_hint": ("Click what the camera should circle", "Clicca ciò attorno a cui girare"),
    "add": ("Add a point", "Aggiungi punto"),
    "add_tip": (
        "A point where the camera is now, or ahead of the last one",
        "Un punto dove la videocamera è ora, o davanti all'ultimo",
    ),
    "undo": ("Undo", "Annulla"),
    "redo": ("Redo", "Ripeti"),
    "more": ("More", "Altro"),
    "close": ("Close the loop", "Chiudi il giro"),
    "unclose": ("Open the loop", "Apri il giro"),
    "reverse": ("Reverse", "Inverti"),
    "mirror": ("Mirror", "Specchia"),
    "snap": ("Snap to a grid", "Aggancia a una griglia"),
    "as_text": ("Path as text", "Percorso come testo"),
    "copy": ("Copy", "Copia"),
    "paste": ("Use this path", "Usa questo percorso"),
    "hide": ("Hide", "Nascondi"),
    "copied": ("Copied.", "Copiato."),
    "open_file": ("Open cameras…", "Apri videocamere…"),
    "open_file_tip": (
        "Cameras of another tool: json, txt, py, npy or bin. COLMAP: choose its cameras and images together",
        "Videocamere di un altro programma: json, txt, py, npy o bin. COLMAP: scegli insieme cameras e images",
    ),
    "save_file": ("Save cameras…", "Salva videocamere…"),
    "save_as": ("Save for", "Salva per"),
    "save": ("Save", "Salva"),
    "saved": ("Saved: {name}", "Salvato: {name}"),
    "save_failed": ("The file could not be made. Try again.", "Il file non è stato creato. Riprova."),
    "as_path": ("Mirage Studio, the points", "Mirage Studio, i punti"),
    "as_json": ("Mirage Studio, every frame", "Mirage Studio, ogni fotogramma"),
    "as_re10k": ("RealEstate10K", "RealEstate10K"),
    "as_colmap": ("COLMAP", "COLMAP"),
    "as_nerfstudio": ("nerfstudio", "nerfstudio"),
    "as_blender": ("Blender", "Blender"),
    "as_spatia": ("Spatia", "Spatia"),
    "file_large": ("The file is too large for cameras.", "Il file è troppo grande per delle videocamere."),
    "file_failed": ("The file did not arrive. Try again.", "Il file non è arrivato. Riprova."),
    "photo": ("Another photo", "Un'altra foto"),
    "anew": ("Start anew", "Ricomincia"),
    "zoom_in": ("Closer", "Più vicino"),
    "zoom_out": ("Farther", "Più lontano"),
    "fit": ("Show everything", "Mostra tutto"),
    "play": ("Play", "Riproduci"),
    "pause": ("Pause", "Pausa"),
    "track": ("Time", "Tempo"),
    "time": ("Time, s", "Tempo, s"),
    "point_name": ("Name", "Nome"),
    "height": ("Height, ×", "Altezza, ×"),
    "height_metres": ("Height, m", "Altezza, m"),
    "eye_level": ("Taken from, m", "Scattata da, m"),
    "roll": ("Roll, °", "Rollio, °"),
    "lens": ("Lens, mm", "Obiettivo, mm"),
    "lens_photo": ("As the photo", "Come la foto"),
    "fov": ("Angle of view, °", "Angolo di campo, °"),
    "ease": ("From here", "Da qui"),
    "ease_linear": ("even", "costante"),
    "ease_in": ("soft start", "parte dolce"),
    "ease_out": ("soft stop", "arriva dolce"),
    "ease_smooth": ("soft", "dolce"),
    "double": ("Pause here", "Pausa qui"),
    "double_tip": ("Doubles the point: the camera waits", "Raddoppia il punto: la videocamera aspetta"),
    "remove": ("Delete", "Elimina"),
    "looks": ("Camera looks", "La videocamera guarda"),
    "looks_point": ("at the marked point", "il punto segnato"),
    "looks_photo": ("straight on, as the photo", "diritto, come la foto"),
    "looks_way": ("along its way", "lungo il percorso"),
    "looks_free": ("as each point says", "come dice ogni punto"),
    "length": ("Length, s", "Durata, s"),
    "previous": ("Previous point", "Punto precedente"),
    "next": ("Next point", "Punto successivo"),
    "point": ("Point {point} of {points}", "Punto {point} di {points}"),
    "point_at": ("Point {point} of {points}, at {time} seconds", "Punto {point} di {points}, a {time} secondi"),
    "fixed": (
        "This is the photo's own camera: every clip begins with it.",
        "È la videocamera della foto: ogni video comincia da qui.",
    ),
    "turn_hint": (
        "Choose another point: the first one is the photo's camera.",
        "Scegli un altro punto: il primo è la videocamera della foto.",
    ),
    "too_short": ("That was too short. Draw a longer way.", "Troppo corto. Disegna una strada più lunga."),
    "no_room": ("There is a point here already.", "Qui c'è già un punto."),
    "nothing_there": ("There is nothing to see there.", "Lì non si vede nulla."),
    "no_place": (
        "This browser cannot show the place in 3D. The path can still be drawn.",
        "Questo browser non mostra il luogo in 3D. Il percorso si può disegnare lo stesso.",
    ),
    "draft": (
        "The path of your last visit is back. More, Start anew clears it.",
        "È tornato il percorso dell'ultima visita. Altro, Ricomincia lo toglie.",
    ),
    "metres": ("{number} m", "{number} metri"),
    "shares": ("{number} × the way to the subject", "{number} × la distanza dal soggetto"),
    "hud": ("{mm} mm lens · {away} × to the subject", "obiettivo {mm} mm · {away} × dal soggetto"),
    "hud_metres": (
        "{away} m to the subject · height {height} · {mm} mm lens",
        "{away} m dal soggetto · altezza {height} · obiettivo {mm} mm",
    ),
    "go_there": ("Show where", "Mostra dove"),
}

# Said by the server
TEXT: dict[str, tuple[str, str]] = {
    # what is wrong with a path, and how it is mended
    "found_good": (
        "Nothing to mend on this path: at least {percent} % of every picture is your photo.",
        "Nulla da correggere in questo percorso: almeno il {percent} % di ogni immagine è la tua foto.",
    ),
    "found_fast": (
        "Fast from {begin:.1f} to {end:.1f} s: slower looks calmer.",
        "Veloce da {begin:.1f} a {end:.1f} s: più lento è più calmo.",
    ),
    "found_near": (
        "Very close to something from {begin:.1f} to {end:.1f} s: it will look blurred.",
        "Molto vicino a qualcosa da {begin:.1f} a {end:.1f} s: apparirà sfocato.",
    ),
    "found_through": (
        "Runs through something from {begin:.1f} to {end:.1f} s.",
        "Attraversa qualcosa da {begin:.1f} a {end:.1f} s.",
    ),
    "found_out": (
        "Looks out of the photo from {begin:.1f} to {end:.1f} s: nearly all of it will be invented.",
        "Guarda fuori dalla foto da {begin:.1f} a {end:.1f} s: quasi tutto sarà inventato.",
    ),
    "found_invented": (
        "From {begin:.1f} to {end:.1f} s only {percent} % of the picture comes from your photo.",
        "Da {begin:.1f} a {end:.1f} s solo il {percent} % dell'immagine viene dalla tua foto.",
    ),
    "found_torn": (
        "From {begin:.1f} to {end:.1f} s what stands in front moves far against what is behind: its edges will look "
        "torn.",
        "Da {begin:.1f} a {end:.1f} s ciò che è davanti si sposta molto rispetto allo sfondo: i bordi appariranno "
        "strappati.",
    ),
    "found_lens": (
        "An extreme lens from {begin:.1f} to {end:.1f} s: the picture will look bent or flat.",
        "Obiettivo estremo da {begin:.1f} a {end:.1f} s: l'immagine sarà deformata o piatta.",
    ),
    "found_unreached": (
        "The clip ends before the last point, at {end:.1f} s.",
        "Il video finisce prima dell'ultimo punto, a {end:.1f} s.",
    ),
    "repair_slow_down": ("Slow down", "Rallenta"),
    "repair_shorten": ("Shorten", "Accorcia"),
    "repair_lift": ("Go higher", "Vai più in alto"),
    "repair_turn_back": ("Turn back", "Gira indietro"),
    "repair_keep_honest": ("Keep it honest", "Resta fedele"),
    "repair_fit_lens": ("Mend the lens", "Correggi l'obiettivo"),
    "mending": ("Mending the path…", "Correggo il percorso…"),
    # files
    "cameras_read": (
        "{cameras} cameras have come in (format: {format}). The path begins at your photo.",
        "Sono arrivate {cameras} videocamere (formato: {format}). Il percorso comincia dalla tua foto.",
    ),
    "cameras_details": (
        "For experts: read as {convention}; docs/formats.md has the conventions.",
        "Per esperti: lette come {convention}; le convenzioni sono in docs/formats.md.",
    ),
    "cameras_made": (
        "They became {points} points over {seconds:.1f} s; the first and last camera are the file's, between them the "
        "path is at most {percent:.1f} % of its length and {degrees:.1f} degrees off.",
        "Ne sono usciti {points} punti in {seconds:.1f} s; la prima e l'ultima videocamera sono quelle del file, in "
        "mezzo il percorso si scosta al più del {percent:.1f} % della sua lunghezza e di {degrees:.1f} gradi.",
    ),
    "cameras_in_time": (
        "In the file they last {own:.2f} s, which no clip does: the time is new, each part keeps its share of it.",
        "Nel file durano {own:.2f} s, che nessun video ha: il tempo è nuovo, ogni parte ne conserva la sua quota.",
    ),
    "doubt_backwards": (
        "They seem to look away from where they should.",
        "Sembra che guardino dalla parte sbagliata.",
    ),
    "fix_backwards": ("Turn them round", "Girale"),
    "doubt_inverse": (
        "Their way seems turned inside out: perhaps the file holds the inverse poses.",
        "Il loro percorso sembra rovesciato: forse il file contiene le pose inverse.",
    ),
    "fix_inverse": ("Invert the poses", "Inverti le pose"),
    "doubt_y-up": (
        "Up is elsewhere in their world: the path was turned to stand as the photo does.",
        "Nel loro mondo l'alto è altrove: il percorso è stato raddrizzato come la foto.",
    ),
    "doubt_stretched": (
        "Their pixels are not square: the lens of the photo is used.",
        "I loro pixel non sono quadrati: si usa l'obiettivo della foto.",
    ),
    "cameras_refused": (
        "These cameras cannot be read. {reason}",
        "Queste videocamere non si possono leggere. {reason}",
    ),
    "cameras_many": (
        "{count} files were chosen, at most {limit} belong together. Choose those of one path.",
        "Sono stati scelti {count} file, al massimo {limit} vanno insieme. Scegli quelli di un solo percorso.",
    ),
    "path_not_saved": ("This path cannot be saved so: {reason}", "Questo percorso non si può salvare così: {reason}"),
}


def editor_words(language: str) -> dict[str, str]:
    """The words of the editor's scripts in `language` ("en" or "it"), and the language itself."""
    return {"language": language} | {key: words[language == "it"] for key, words in SCRIPT.items()}
