"""What is said while a clip is made, how much of it comes from the photo, and the facts of the finished one."""

TEXT: dict[str, tuple[str, str]] = {
    # what is told while it works
    "in_line": ("Waiting for the engine, {ahead} before you…", "In attesa del motore, {ahead} prima di te…"),
    "lifting": ("Reading depth from the photo…", "Leggo la profondità della foto…"),
    "drawing_preview": ("Drawing the preview…", "Disegno l'anteprima…"),
    "stage_depth": ("Measuring depth", "Misuro la profondità"),
    "stage_denoise": ("Inventing what is hidden", "Invento ciò che è nascosto"),
    "stage_decode": ("Drawing the frames", "Disegno i fotogrammi"),
    "progress": (
        "{what}, step {step} of {steps} · part {chunk} of {chunks}",
        "{what}, passo {step} di {steps} · parte {chunk} di {chunks}",
    ),
    "writing": ("Writing the video file…", "Scrivo il file video…"),
    "stopped": ("Stopped. Nothing was kept.", "Fermato. Non è stato salvato nulla."),
    "stopped_partial": (
        "Stopped after {seconds:.1f} s of the clip. What was ready is kept.",
        "Fermato dopo {seconds:.1f} s di video. La parte pronta è salva.",
    ),
    # photo-backed meter
    "backed": ("From the photo", "Dalla foto"),
    "invented": ("Invented", "Inventato"),
    "backed_all": ("All of it comes from your photo.", "Viene tutto dalla tua foto."),
    "backed_preview": (
        "At its most daring moment, {percent} % of the picture comes from your photo.",
        "Dalla tua foto: mai meno di {percent} % dell'immagine.",
    ),
    "backed_clip": (
        "{mean} % of the clip comes from your photo, {percent} % at its most daring moment.",
        "Dalla tua foto: {mean} % del video in media, mai meno di {percent} %.",
    ),
    "hatch": (
        "What is hatched lies outside the photo and will be invented.",
        "Il tratteggio è fuori dalla foto e sarà inventato.",
    ),
    "closer": (
        "The frame is {percent} % closer than the photo, so the camera has room to move (Advanced changes it).",
        "L'inquadratura è {percent} % più vicina della foto, così la videocamera ha spazio (si cambia in Avanzate).",
    ),
    "farther": (
        "The format would cut the product, so the frame shows {percent} % of its size and the backdrop goes on "
        "(Advanced changes it).",
        "Il formato taglierebbe il prodotto: l'inquadratura lo mostra al {percent} % e lo sfondo continua "
        "(si cambia in Avanzate).",
    ),
    "low_coverage": (
        "That is much to invent: a shorter path stays truer to the place.",
        "È molto da inventare: un percorso più breve resta più fedele al luogo.",
    ),
    "torn": (
        "What stands in front moves far against what is behind, and its edges may look torn: "
        "a shorter path is cleaner.",
        "Ciò che è davanti si sposta molto rispetto allo sfondo e i bordi possono sembrare strappati: "
        "un percorso più breve è più pulito.",
    ),
    "product_kept": (
        "The move is shortened so that the product stays whole in every frame.",
        "Il movimento è accorciato perché il prodotto resti intero in ogni fotogramma.",
    ),
    "product_cropped": (
        "This format cuts the product: choose another or move the crop.",
        "Questo formato taglia il prodotto: scegline un altro o sposta il ritaglio.",
    ),
    "product_cut": (
        "The camera cuts the product off: a shorter path keeps it whole.",
        "La videocamera taglia il prodotto: con un percorso più breve resta intero.",
    ),
    "too_fast": (
        "At this length the move is fast. Give it {seconds} seconds for a calm clip.",
        "Con questa durata il movimento è veloce. Dagli {seconds} secondi per un video calmo.",
    ),
    "shorter": ("Shorten the path", "Accorcia il percorso"),
    # the finished clip
    "fact_length": ("Length", "Durata"),
    "fact_size": ("Size", "Dimensioni"),
    "fact_rate": ("Frames per second", "Fotogrammi al secondo"),
    "rate_repeated": ("{fps} ({made} are made, some shown twice)", "{fps} (creati {made}, alcuni mostrati due volte)"),
    "fact_time": ("Made in", "Creato in"),
    "fact_loop": ("Loop", "Ritorno"),
    "fact_drift": ("Colour drift", "Variazione colore"),
    "fact_seed": ("Seed", "Seme"),
    "loop_open": ("open path", "percorso aperto"),
    "loop_closed": ("{psnr:.0f} dB at the join", "{psnr:.0f} dB alla giunzione"),
    "loop_seamless": ("seamless", "senza stacco"),
    "last_clip": ("Your last clip", "Il tuo ultimo video"),
    "download": ("Download MP4", "Scarica MP4"),
    "poster": ("Poster", "Copertina"),
    "transparent": ("Transparent clip", "Video trasparente"),
    "same_again": ("Same again", "Rifai uguale"),
    "new_seed": ("New seed", "Nuova variante"),
    "recipe": (
        "Recipe: everything needed to make this clip again",
        "Ricetta: tutto ciò che serve per rifare questo video",
    ),
    "copy": ("Copy", "Copia"),
    "copied": ("Copied", "Copiata"),
    "save": ("Save as JSON", "Salva in JSON"),
}
