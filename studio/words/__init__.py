"""Every sentence of the page, in English and Italian, in one table. No user text passes through here."""

from pipelines.large.profiles import PROFILE_ERRORS, ProfileError
from pipelines.media.photos import PHOTO_ERRORS, PhotoError
from pipelines.weights.hub import FETCH_ERRORS, FetchError
from presets.schema import load_moves
from studio.editor.reasons import reason

TEXT: dict[str, tuple[str, str]] = {
    # header
    "tagline": ("One photo, one camera move, one clip.", "Una foto, un movimento, un video."),
    "model_load": ("Loading the model…", "Carico il modello…"),
    "model_fetch": ("Fetching the model, {done} of {total}…", "Scarico il modello, {done} di {total}…"),
    "model_check": ("Checking the model, {done} of {total}…", "Controllo il modello, {done} di {total}…"),
    "model_ready": ("Ready", "Pronto"),
    "model_none": ("No model", "Nessun modello"),
    "model_meanwhile": (
        "This happens only once. Photo and move can be chosen meanwhile.",
        "Succede solo la prima volta. Intanto puoi scegliere foto e movimento.",
    ),
    "model_failed": (
        "The model could not be loaded: {reason} If trying again does not help, tell who runs this studio.",
        "Il modello non si carica: {reason} Se riprovare non basta, avvisa chi gestisce lo studio.",
    ),
    "retry": ("Try again", "Riprova"),
    "error": ("Error", "Errore"),
    "lost": (
        "Connection to the studio was lost. Trying again…",
        "La connessione con lo studio si è interrotta. Riprovo…",
    ),
    # stage
    "drop": ("Drop a photo of a place or a product", "Trascina la foto di un luogo o di un prodotto"),
    "choose": ("Choose a photo", "Scegli una foto"),
    "replace": ("Another photo", "Un'altra foto"),
    "kinds": (
        "JPEG, PNG, WebP, AVIF or TIFF, up to 40 MB. The photo stays on this machine.",
        "JPEG, PNG, WebP, AVIF o TIFF, fino a 40 MB. La foto resta su questa macchina.",
    ),
    "uploading": ("Reading the photo…", "Leggo la foto…"),
    "upload_failed": (
        "The photo did not arrive: the connection broke, or the disk here is full. Drop it again.",
        "La foto non è arrivata: la connessione è caduta, o qui il disco è pieno. Trascinala di nuovo.",
    ),
    "too_heavy": (
        "The file is over 40 MB, the limit. Save it as JPEG and drop it again.",
        "Il file supera i 40 MB, il limite. Salvalo in JPEG e trascinalo di nuovo.",
    ),
    "edit_path": ("Edit the path", "Modifica il percorso"),
    "stage_photo": ("Photo", "Foto"),
    "stage_preview": ("Preview", "Anteprima"),
    "stage_live": ("Rendering", "In lavorazione"),
    "stage_clip": ("Clip", "Video"),
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
    "ratio": ("Format", "Formato"),
    "ratio_photo": ("As the photo", "Come la foto"),
    "quality": ("Quality", "Qualità"),
    "quality_draft": ("Draft", "Bozza"),
    "quality_standard": ("Standard", "Standard"),
    "quality_full": ("Full HD", "Full HD"),
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
    "depth_embedded": ("Built-in depth", "Profondità inclusa"),
    "depth_better": ("Better depth, 100 MB once", "Migliore, 100 MB una volta"),
    "depth_load": ("Loading the better depth…", "Carico la profondità migliore…"),
    "depth_fetch": (
        "Fetching the better depth, {done} of {total}…",
        "Scarico la profondità migliore, {done} di {total}…",
    ),
    "depth_check": (
        "Checking the better depth, {done} of {total}…",
        "Controllo la profondità migliore, {done} di {total}…",
    ),
    "depth_failed": (
        "The better depth is not here, so the built-in one stays: {reason}",
        "La profondità migliore non c'è, quindi resta quella inclusa: {reason}",
    ),
    "depth_ready": (
        "Depth Anything measures your photos from now on. It stays on this machine.",
        "D'ora in poi misura le foto Depth Anything. Resta su questa macchina.",
    ),
    "preview": ("Preview", "Anteprima"),
    "render": ("Render the clip", "Crea il video"),
    "cancel": ("Stop", "Ferma"),
    "estimate": (
        "About {time} · {width} × {height} · {frames} frames",
        "Circa {time} · {width} × {height} · {frames} fotogrammi",
    ),
    "estimate_unknown": (
        "{width} × {height} · {frames} frames. The first clip will tell how long it takes.",
        "{width} × {height} · {frames} fotogrammi. Il primo video dirà quanto ci vuole.",
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
    "about": ("Model and licences", "Modello e licenze"),
    "about_embedded": ("Built-in model, on the processor.", "Modello incluso, sul processore."),
    "about_cpu": (
        "Large model {name}, on the processor: for trying out, very slow.",
        "Modello grande {name}, sul processore: solo per prova, molto lento.",
    ),
    "about_gpu": ("Large model {name}, on {device}.", "Modello grande {name}, su {device}."),
    "profile_picked": (
        "Profile {profile}, picked for {free} of free graphics memory: {what}.",
        "Profilo {profile}, scelto per {free} di memoria grafica libera: {what}.",
    ),
    "profile_set": (
        "Profile {profile}, set by who runs this studio: {what}.",
        "Profilo {profile}, impostato da chi gestisce lo studio: {what}.",
    ),
    "profile_resident": (
        "all but the text reader stays on the graphics card",
        "tutto resta sulla scheda grafica, tranne il lettore del testo",
    ),
    "profile_tiled": ("pictures are drawn tile by tile", "le immagini si disegnano a riquadri"),
    "profile_gguf-q8": ("weights kept in eight bits", "pesi tenuti in otto bit"),
    "profile_gguf-q4": ("weights kept in four bits", "pesi tenuti in quattro bit"),
    "profile_float8": ("weights kept in eight bits", "pesi tenuti in otto bit"),
    "profile_int8": ("weights kept in eight-bit integers", "pesi tenuti in interi a otto bit"),
    "profile_model-offload": (
        "the parts of the model take turns on the graphics card",
        "le parti del modello si alternano sulla scheda grafica",
    ),
    "profile_group-offload": (
        "the model passes through the graphics card piece by piece, slowly",
        "il modello passa per la scheda grafica un pezzo alla volta, lentamente",
    ),
    "card_name": ("Weights", "Pesi"),
    "card_revision": ("Revision", "Revisione"),
    "card_licence": ("Licence", "Licenza"),
    "card_commercial": ("Commercial use in the EU", "Uso commerciale nell'UE"),
    "card_unknown": ("unknown", "non nota"),
    "commercial_yes": ("yes", "sì"),
    "commercial_no": ("no", "non ammesso"),
    "commercial_unknown": ("not known: ask before you publish", "non noto: chiedi prima di pubblicare"),
    "no_prompt": (
        "The built-in model takes no text: everything comes from your photo. What the camera uncovers beyond the photo "
        "is invented from what is around it.",
        "Il modello incluso non usa testo: tutto nasce dalla tua foto. Ciò che la videocamera scopre oltre la foto è "
        "inventato a partire da quel che c'è intorno.",
    ),
    "drawn": ("Draw your own", "Disegna il tuo"),
    "drawn_line": ("Trace the camera's way from above", "Traccia il percorso visto dall'alto"),
    "drawn_summary": (
        "Draw the camera's way over the room. What you play in the editor is exactly what is rendered.",
        "Disegna il percorso della videocamera sulla stanza. Ciò che vedi nell'editor è proprio ciò che sarà creato.",
    ),
    # what is told while it works
    "in_line": ("Waiting for the engine, {ahead} before you…", "In attesa del motore, {ahead} prima di te…"),
    "lifting": ("Reading depth from the photo…", "Leggo la profondità della foto…"),
    "drawing_preview": ("Drawing the preview…", "Disegno l'anteprima…"),
    "stage_encode": ("Reading the photo", "Leggo la foto"),
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
    "too_fast": (
        "At this length the move is fast. Give it {seconds} seconds for a calm clip.",
        "Con questa durata il movimento è veloce. Dagli {seconds} secondi per un video calmo.",
    ),
    "shorter": ("Shorten the path", "Accorcia il percorso"),
    # the finished clip
    "fact_length": ("Length", "Durata"),
    "fact_size": ("Size", "Dimensioni"),
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
    "same_again": ("Same again", "Rifai uguale"),
    "new_seed": ("New seed", "Nuova variante"),
    "recipe": (
        "Recipe: everything needed to make this clip again",
        "Ricetta: tutto ciò che serve per rifare questo video",
    ),
    "copy": ("Copy", "Copia"),
    "copied": ("Copied", "Copiata"),
    "save": ("Save as JSON", "Salva in JSON"),
    # refusals
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
    "not_json": (
        "This text is not a path. Paste one that was copied from here.",
        "Questo testo non è un percorso. Incollane uno copiato da qui.",
    ),
    "bad_value": (
        "{name} is {value}, allowed is {allowed}. Choose it again on the page.",
        "{name}: il valore è {value}, è ammesso {allowed}. Scegli di nuovo nella pagina.",
    ),
    "kind_text": ("text", "testo"),
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
}

# The English sentences of a refused photo belong to the engine, which shows them on the command line too
_PHOTO_ITALIAN = {
    "missing": "Non c'è una foto {name} che si possa aprire. Indica il percorso di un'immagine.",
    "empty": "Il file è vuoto (0 byte). Scegli di nuovo la foto.",
    "heavy": "Il file pesa {megabytes:.0f} MB, ne sono ammessi al massimo {limit}. Salvalo in JPEG.",
    "heic": "È una foto HEIC, che qui non si può leggere. Esportala in JPEG e trascinala di nuovo.",
    "unknown": "Questo file non è un'immagine leggibile. Usa JPEG, PNG, WebP, AVIF, TIFF, BMP o GIF.",
    "huge": "La foto ha {megapixels:.0f} megapixel, ne sono ammessi al massimo {limit}. Rimpiccioliscila prima.",
    "tiny": "La foto è di {width}x{height} pixel, ogni lato deve averne almeno {limit}. Usa una versione più grande.",
    "narrow": "La foto è lunga {aspect:.1f} volte la sua larghezza, al massimo {limit:.0f}. Ritagliala prima.",
    "blank": "La foto mostra solo una superficie uniforme o cielo: il contorno più netto vale {edge} su 255, ne serve "
    "almeno {limit}. Scegli la foto di un luogo o di un prodotto.",
    "damaged": "La foto è danneggiata o incompleta e non si legge fino in fondo. Copiala o esportala di nuovo.",
}
TEXT |= {f"photo_{reason}": (PHOTO_ERRORS[reason], italian) for reason, italian in _PHOTO_ITALIAN.items()}

# The same of weights that cannot be fetched
_FETCH_ITALIAN = {
    "name": "{name} non è una cartella di questa macchina né il nome di un archivio dell'Hub. Controllalo.",
    "gated": "{name} chiede di accettare le sue condizioni. Fallo sulla sua pagina, poi accedi con `hf auth login`.",
    "missing": "{name} non esiste sull'Hub, o richiede l'accesso. Controlla il nome o usa `hf auth login`.",
    "revision": "{name} non ha la revisione {revision!r}. Controllala.",
    "offline": "{name} non è completo su questa macchina e l'Hub non è raggiungibile. Serve la rete per scaricarlo.",
    "login": "{name} non si scarica: l'Hub risponde {status}. Accedi con `hf auth login`.",
    "hub": "{name} non si scarica: l'Hub risponde {status}. Riprova più tardi.",
    "broken": "La connessione è caduta mentre si scaricava {name}. Riprova: riparte da dove era arrivato.",
    "room": "{name} richiede {needed:.1f} GiB, ne sono liberi {free:.1f}. Libera spazio sul disco.",
    "full": "Il disco si è riempito mentre si scaricava {name}. Libera spazio e riprova: riparte da lì.",
    "damaged": "{file} di {name} è danneggiato ed è stato tolto. Scaricalo di nuovo.",
    "changed": "{file} di {name} non è il file noto con questo nome ed è stato tolto. Chiedi a chi lo pubblica.",
    "cache": "{name} non si può tenere in {place} ({why}). Scegli un'altra cartella con HF_HOME.",
    "file": "{name} non contiene {file}. Guarda sulla sua pagina come si chiama ora il file.",
}
TEXT |= {f"fetch_{reason}": (FETCH_ERRORS[reason], italian) for reason, italian in _FETCH_ITALIAN.items()}

# The same of a model that cannot run here as it was asked to
_PROFILE_ITALIAN = {
    "unknown": "Il profilo {name!r} non esiste. Ci sono {allowed}.",
    "small": "Sulla scheda grafica sono liberi {free:.1f} GiB; il profilo che ne chiede meno ({name}) ne usa circa "
    "{needed:.1f}: mancano {missing:.1f} GiB. Chiudi altri programmi che la usano o scegli il modello incluso.",
    "package": "Il profilo {name!r} richiede il pacchetto {package}. Installalo, o usa float8.",
    "turns": "Il profilo {name!r} richiede una scheda grafica. Sul processore usa resident.",
    "blocks": "Il profilo {name!r} non va con questo modello: i suoi pesi sono in formato {kept} e girano solo come "
    "{only}. Usa {only}, o converti di nuovo senza --gguf.",
    "cache": "La soglia {threshold} della cache del primo blocco deve essere una quota da 0 in su. Usa da 0.05 a 0.2.",
    "plain": "Il profilo {name!r} non va con pesi in formato {kept}. Converti con --gguf {storage}.",
    "embedded": "I profili sono per il modello grande; quello incluso non usa la scheda grafica. Togli il profilo.",
}
TEXT |= {f"profile_error_{reason}": (PROFILE_ERRORS[reason], italian) for reason, italian in _PROFILE_ITALIAN.items()}

# What `bad_value` calls the widgets
_FIELDS_ITALIAN = {
    "move": "movimento",
    "seconds": "secondi",
    "format": "formato",
    "quality": "qualità",
    "direction": "direzione",
    "strength": "ampiezza",
    "crop": "ritaglio",
    "closeness": "vicinanza",
    "seed": "seme",
    "example": "esempio",
    "repair": "correzione",
    "description": "descrizione",
    "depth": "profondità",
}


# What it calls the choices of a widget, as the page does: the key of their words
_CHOICES = {
    "format": "ratio_{}",
    "quality": "quality_{}",
    "direction": "{}",
    "depth": "depth_{}",
    "description": "kind_{}",
}


def choice_word(language: str, field: str, choice: str) -> str:
    """A choice as the page calls it; in English, and where the page has no word for it, as it is."""
    if language != "it":
        return choice
    if field == "move" and choice in load_moves():
        return load_moves()[choice].name.it
    key = "drawn" if field == "move" else _CHOICES.get(field, "").format(choice)
    return say(language, key) if key in TEXT else choice


def say(language: str, key: str, **values) -> str:
    """The sentence `key` in `language` ("en" or "it"; anything else reads English), its figures filled in."""
    if language == "it":
        values = {name: Comma(value) if isinstance(value, float) else value for name, value in values.items()}
    return TEXT[key][language == "it"].format(**values)


class Comma(float):
    """A number that is written as Italian writes it: 4,1."""

    def __format__(self, spec: str) -> str:
        return super().__format__(spec).replace(".", ",")


def decimal(language: str, value: float) -> str:
    """'4.1', in Italian '4,1'."""
    return f"{Comma(value) if language == 'it' else value:.1f}"


def say_photo_error(language: str, error: PhotoError) -> str:
    return say(language, f"photo_{error.reason}", **error.values)


def say_reason(language: str, error: BaseException) -> str:
    """Why something failed, in one line: no traceback, no folders of this machine."""
    if isinstance(error, FetchError):
        return say(language, f"fetch_{error.reason}", **error.values)
    if isinstance(error, ProfileError):
        return say(language, f"profile_error_{error.reason}", **error.values)
    words = (" ".join(reason(language, str(error)).split()) or type(error).__name__)[:300].split()
    return " ".join("…" if word.lstrip("'\"(").startswith("/") else word for word in words)


def size(language: str, num_bytes: float) -> str:
    """'34 MB', '3.4 GB', as disks and networks count."""
    if num_bytes < 999.5e6:
        return f"{num_bytes / 1e6:.0f} MB"
    return f"{decimal(language, num_bytes / 1e9)} GB"


def duration(language: str, seconds: float) -> str:
    """'40 s', '2 min': as exact as an estimate deserves."""
    if seconds < 90:
        step = 1 if seconds < 10 else 5
        return f"{max(1, round(seconds / step) * step)} s"
    return f"{round(seconds / 60)} min"


class Refusal(ValueError):
    """What the page answers to a request it cannot serve: a key of TEXT and the figures of its sentence.

    A figure may be the exception that was the reason.
    """

    def __init__(self, key: str, **values):
        self.key, self.values = key, values
        super().__init__(self.said_in("en"))

    def said_in(self, language: str) -> str:
        values = {
            name: say_reason(language, value) if isinstance(value, BaseException) else value
            for name, value in self.values.items()
        }
        if isinstance(values.get("allowed"), tuple):
            words = (choice_word(language, values["name"], choice) for choice in values["allowed"])
            values["allowed"] = ", ".join(words)
        if values.get("value") == "None":  # a field that was cleared
            values["value"] = "vuoto" if language == "it" else "empty"
        if language == "it" and "name" in values:
            values["name"] = _FIELDS_ITALIAN.get(values["name"], values["name"])
        return say(language, self.key, **values)
