"""Of scenes and saved memories."""

SENTENCES = {
    "{folder} holds no scene: {index} and {memory} are needed. Render one first.": (
        "{folder} non contiene una scena: servono {index} e {memory}. Prima creane una."
    ),
    "{path} cannot be read: {error}. Render the scene again.": "{path} non si legge: {error}. Crea di nuovo la scena.",
    "format {format!r} version {version} is not known; update the program": (
        "il formato {format!r} versione {version} non è conosciuto; aggiorna il programma"
    ),
    "distance={distance} must be positive and finite": "distance={distance} deve essere un numero positivo e finito",
    "{path} is a folder. Give the file of the memory, in a scene memory.safetensors.": (
        "{path} è una cartella. Indica il file della memoria, in una scena memory.safetensors."
    ),
    "{path} is not a saved memory: its header does not name the format {format!r}.": (
        "{path} non è una memoria salvata: non porta il formato {format!r}."
    ),
    "{path} has format version {version}; this program reads up to {limit}. Update the program.": (
        "{path} ha la versione {version} del formato, ma questo programma legge fino alla {limit}. Aggiorna il "
        "programma."
    ),
    "{path} is damaged or incomplete ({error}). Save it again from its scene.": (
        "{path} è danneggiato o incompleto ({error}). Salvalo di nuovo dalla sua scena."
    ),
    "Latents hold values that {dtype} cannot, or NaN; nothing was written. Check the model's weights.": (
        "Il modello ha prodotto valori che {dtype} non può contenere, o NaN; non è stato scritto nulla. Controlla i "
        "suoi pesi."
    ),
    "The memory's views have {count} cells, at most {limit} can be saved. Crop it first.": (
        "Le viste della memoria hanno {count} celle, se ne possono salvare al massimo {limit}. Prima ritagliala."
    ),
}
