"""Of what a clip is asked to be."""

SENTENCES = {
    "{name}={value} must be {low}..{high} pixels. Use {nearest}.": (
        "{name}={value} deve essere tra {low} e {high} pixel. Usa {nearest}."
    ),
    "{name}={value} must be a multiple of {step}. Use {low} or {high}.": (
        "{name}={value} deve essere un multiplo di {step}. Usa {low} o {high}."
    ),
    "quality={quality!r} is unknown. Use one of {allowed}.": (
        "La qualità {quality!r} non esiste. Usa una tra {allowed}."
    ),
    "seed={seed!r} must be a whole number from 0 to 2**63 - 1. Use 0.": (
        "seed={seed!r} deve essere un numero intero da 0 a 2**63 - 1. Usa 0."
    ),
    "prompt={prompt!r} must be text, or None for none.": "prompt={prompt!r} deve essere un testo, o None se non c'è.",
    "The {model} model has no text input, so a prompt would be ignored. Leave it out.": (
        "Il modello {model} non legge testi, quindi la descrizione sarebbe ignorata. Toglila."
    ),
    "This photo has no backdrop of one colour, so there is nothing to make transparent. Use a product on white "
    "or a cut-out, or render it without a transparent background.": (
        "Questa foto non ha uno sfondo di un solo colore, quindi non c'è nulla da rendere trasparente. Usa un prodotto "
        "su bianco o scontornato, oppure crea il video senza sfondo trasparente."
    ),
    "The {model} model draws the backdrop anew, so its clips have no transparent background. Use the embedded one.": (
        "Il modello {model} ridisegna lo sfondo, quindi i suoi video non hanno uno sfondo trasparente. Usa quello "
        "incorporato."
    ),
    "There is neither a photo nor a memory to start from. Give one of them.": (
        "Non c'è né una foto né una memoria da cui partire. Indica una delle due."
    ),
    "The photo was lifted at {lifted_height}x{lifted_width} and the trajectory is {height}x{width}. Lift it at the "
    "size of the clip.": (
        "La profondità della foto è stata misurata a {lifted_height}x{lifted_width}, ma il percorso è "
        "{height}x{width}. Misurala alla dimensione del video."
    ),
    "A lifted photo has its memory already, so another one would be ignored. Lift it in that memory.": (
        "Una foto già misurata ha la sua memoria, quindi un'altra sarebbe ignorata. Misurala in quella memoria."
    ),
    "This memory holds {channels}-channel tokens of another model (weights {codec!r}); the {model} model uses "
    "{own_channels} (weights {own_codec!r}). Open the scene with the model it was made with, or start again from "
    "its photo.": (
        "Questa memoria contiene elementi a {channels} canali di un altro modello (pesi {codec!r}); il modello "
        "{model} ne usa {own_channels} (pesi {own_codec!r}). Apri la scena con il modello con cui è nata, o "
        "ricomincia dalla sua foto."
    ),
}
