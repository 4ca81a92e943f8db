"""Of the photo as a place: its frame and its depth."""

SENTENCES = {
    # frame
    "focus={focus!r} must be 0 (left or top) to 1 (right or bottom). Use 0.5.": (
        "focus={focus!r} deve andare da 0 (sinistra o alto) a 1 (destra o basso). Usa 0.5."
    ),
    "zoom={zoom!r} must be {least:g} to {limit:g}; 1 is the whole photo. Use 1.": (
        "zoom={zoom!r} deve andare da {least:g} a {limit:g}; 1 è tutta la foto. Usa 1."
    ),
    "zoom={zoom!r} shows more than the photo, which goes on only where its rim is a backdrop of one colour. Use 1.": (
        "zoom={zoom!r} mostra più della foto, che continua solo dove il bordo è uno sfondo di un solo colore. Usa 1."
    ),
    "The picture is {got}. Give an (H, W, 3) uint8 array of RGB, or a PIL photo to lift.": (
        "L'immagine è {got}. Serve una matrice RGB (H, W, 3) uint8, o come foto un'immagine PIL."
    ),
    # bars and panoramas
    "There are no bars at the rims of this picture. Use it as it is.": (
        "Ai bordi di questa immagine non ci sono bande. Usala com'è."
    ),
    "This picture is no panorama of 360 degrees all around. Use it as it is.": (
        "Questa immagine non è un panorama a 360 gradi completo. Usala com'è."
    ),
    "{name}={degrees!r} must be {low}..{high} degrees. Use 0.": (
        "{name}={degrees!r} deve essere tra {low} e {high} gradi. Usa 0."
    ),
    "A view {pitch:g} degrees up leaves this panorama, which shows {low:.0f} to {high:.0f} degrees. Use a "
    "pitch of 0.": (
        "Una vista a {pitch:g} gradi esce da questo panorama, che mostra da {low:.0f} a {high:.0f} gradi. Usa 0 gradi."
    ),
    # depth
    "No depth could be found in this photo: every pixel is unknown. Give a depth map.": (
        "In questa foto non si trova nessuna profondità: ogni pixel è sconosciuto. Usa un'altra foto, o dai una "
        "mappa di profondità."
    ),
    "The depth of another photo does not fit this one. Lift it without `like`.": (
        "La profondità di un'altra foto non va bene per questa. Misurala senza `like`."
    ),
    "depth {shape} must be (H, W): one z-depth per pixel of the photo.": (
        "depth {shape} deve essere (H, W): una profondità z per ogni pixel della foto."
    ),
    "depth has no positive finite value. Give z-depth in scene units, 0 where unknown.": (
        "depth non ha nessun valore positivo e finito. Indica la profondità z in unità della scena, 0 dove non è nota."
    ),
    # models of depth
    "depth estimator {name!r} is unknown. Use one of {known}, a folder or a Hub repository.": (
        "La profondità {name!r} non esiste. Usa una tra {known}, una cartella o un archivio dell'Hub."
    ),
    "{name} holds no config.json of a depth model. Check it, or fetch it again.": (
        "{name} non contiene il config.json di un modello di profondità. Controllalo, o scaricalo di nuovo."
    ),
    "{name} is a {kind}; this reads depth_anything and the project's own DepthNet. Offer it as a plug-in, see "
    "docs/depth.md.": (
        "{name} è un {kind}, ma qui si leggono depth_anything e il DepthNet di questo progetto. Per usarlo serve "
        "un plug-in, vedi docs/depth.md."
    ),
    "model of no known kind": "modello di tipo sconosciuto",
    "The depth weights in {folder} cannot be read ({error}). Fetch them again.": (
        "I pesi della profondità in {folder} non si leggono ({error}). Scaricali di nuovo."
    ),
    "The depth weights in {folder} lack {count} tensors, among them {first}. Fetch them again.": (
        "Ai pesi della profondità in {folder} mancano {count} tensori, tra cui {first}. Scaricali di nuovo."
    ),
}
