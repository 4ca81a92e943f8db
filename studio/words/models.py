"""What is said of the models: how far they are, what failed, which are in use and on what terms."""

TEXT: dict[str, tuple[str, str]] = {
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
}
