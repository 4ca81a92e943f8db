"""Of photos that come in and clips that go out."""

SENTENCES = {
    # photos
    "There is no photo {name:.80} that can be opened. Give the path of an image file.": (
        "Non c'è una foto {name:.80} che si possa aprire. Indica il percorso di un'immagine."
    ),
    "The file is empty (0 bytes). Choose the photo again.": "Il file è vuoto (0 byte). Scegli di nuovo la foto.",
    "The file is {megabytes:.0f} MB, at most {limit} MB is accepted. Save it as JPEG.": (
        "Il file pesa {megabytes:.0f} MB, ne sono ammessi al massimo {limit}. Salvalo in JPEG."
    ),
    "This is a JPEG XL photo, which cannot be read here. Export it as JPEG, or install pillow-jxl-plugin.": (
        "È una foto JPEG XL, che qui non si può leggere. Esportala in JPEG, oppure installa pillow-jxl-plugin."
    ),
    "This is a raw file of a camera ({kind}), and no picture in it is {limit} pixels wide or more. Develop it in a "
    "photo program and export it as JPEG.": (
        "È un file raw di una fotocamera ({kind}), e nessuna immagine al suo interno è larga almeno {limit} pixel. "
        "Sviluppalo in un programma di fotografia ed esportalo in JPEG."
    ),
    "This is a raw file of a camera ({kind}): the picture of {width}x{height} pixels that the camera put into it is "
    "used. For other colours, develop it in a photo program and export it as JPEG.": (
        "È un file raw di una fotocamera ({kind}): si usa l'immagine di {width}x{height} pixel che la fotocamera vi ha "
        "messo. Per altri colori, sviluppalo in un programma di fotografia ed esportalo in JPEG."
    ),
    "The photo is HDR: its brightest parts are brought down to what a clip can show, as browsers do.": (
        "La foto è HDR: le parti più luminose sono ridotte a ciò che un video può mostrare, come fanno i browser."
    ),
    "The colour profile of the photo cannot be read, so its colours are taken as sRGB. If they look wrong, export the "
    "photo as sRGB.": (
        "Il profilo colore della foto non si legge, quindi i suoi colori sono presi come sRGB. Se sembrano sbagliati, "
        "esporta la foto in sRGB."
    ),
    "This file is not an image that can be read. Use a JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP or GIF.": (
        "Questo file non è un'immagine leggibile. Usa JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP o GIF."
    ),
    "The photo has {megapixels:.0f} megapixels, at most {limit} are accepted. Make it smaller first.": (
        "La foto ha {megapixels:.0f} megapixel, ne sono ammessi al massimo {limit}. Rimpiccioliscila prima."
    ),
    "The photo is {width}x{height} pixels, each side needs at least {limit}. Use a larger version.": (
        "La foto è di {width}x{height} pixel, ogni lato deve averne almeno {limit}. Usa una versione più grande."
    ),
    "The photo is {aspect:.1f} times as long as wide, at most {limit:.0f} is accepted. Crop it first.": (
        "La foto è lunga {aspect:.1f} volte la sua larghezza, al massimo {limit:.0f}. Ritagliala prima."
    ),
    "The photo shows only an even surface or sky: its strongest edge is {edge} of 255, at least {limit} is needed. "
    "Choose a photo of a place or a product.": (
        "La foto mostra solo una superficie uniforme o cielo: il contorno più netto vale {edge} su 255, ne serve "
        "almeno {limit}. Scegli la foto di un luogo o di un prodotto."
    ),
    "The photo is damaged or cut short and cannot be read to its end. Copy or export it again.": (
        "La foto è danneggiata o incompleta e non si legge fino in fondo. Copiala o esportala di nuovo."
    ),
    # clips
    "The clip has 0 frames, at least 1 is needed. Render it again.": (
        "Il video non ha fotogrammi, ma ne serve almeno 1. Crealo di nuovo."
    ),
    "The frames are {width}x{height}, both sides must be even (yuv420p). Use {even_width}x{even_height}.": (
        "I fotogrammi sono {width}x{height}, ma i lati devono essere pari (yuv420p). Usa {even_width}x{even_height}."
    ),
    "A frame is {shape}, the first was {first}. Keep one size per clip.": (
        "Un fotogramma è {shape}, ma il primo era {first}. Tieni una sola dimensione per video."
    ),
    "A frame is {got}, must be (height, width, 4) uint8. Convert it first.": (
        "Un fotogramma è {got}, deve essere (altezza, larghezza, 4) uint8. Convertilo prima."
    ),
    "A frame is {got}, must be (height, width, 3) uint8. Convert it first.": (
        "Un fotogramma è {got}, ma deve essere (altezza, larghezza, 3) uint8. Prima convertilo."
    ),
    "{file} cannot be read as a video ({reason}). Give an mp4 that was rendered here.": (
        "{file} non si legge come video ({reason}). Indica un mp4 creato qui."
    ),
}
