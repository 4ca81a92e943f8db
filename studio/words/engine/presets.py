"""Of presets, their files and the library that keeps them."""

SENTENCES = {
    # files
    "{file} is over {limit} bytes, the limit for it. Shorten it.": (
        "{file} supera {limit} byte, il limite per questo file. Accorcialo."
    ),
    "{file} is no UTF-8 text. Save it as UTF-8.": "{file} non è testo UTF-8. Salvalo come UTF-8.",
    "{file} is nested {depth} deep, at most {limit}. Flatten it.": (
        "{file} ha {depth} livelli uno dentro l'altro, al massimo {limit}. Semplificalo."
    ),
    "{file} has {fields} fields, at most {limit}. Remove some.": (
        "{file} ha {fields} campi, al massimo {limit}. Togline alcuni."
    ),
    "{file}: {field}: {reason}": "{file}: {field}: {reason}",
    "{file}: kind: {value!r:.60} must be one of {allowed}.": (
        "{file}: kind: {value!r:.60} deve essere uno di {allowed}."
    ),
    "the field {field!r:.60} stands twice. Keep one of them.": "il campo {field!r:.60} c'è due volte. Tienine uno.",
    "{file} is no JSON ({reason}). Export it again.": "{file} non è JSON ({reason}). Esportalo di nuovo.",
    "{file} holds no JSON object. Export it again.": "{file} non contiene un oggetto JSON. Esportalo di nuovo.",
    "{file} was written by a newer Mirage Studio (schema {schema}, here {own}). Update this one to use it.": (
        "{file} viene da un Mirage Studio più recente (schema {schema}, qui {own}). Aggiorna questo per usarlo."
    ),
    "it is missing. Add it.": "manca. Aggiungilo.",
    "no such field is known. Remove it.": "questo campo non esiste. Toglilo.",
    "{value} must be one of {allowed}.": "{value} deve essere uno di {allowed}.",
    "{value} must be at least {limit}.": "{value} deve essere almeno {limit}.",
    "{value} must be at most {limit}.": "{value} deve essere al massimo {limit}.",
    "{value} must be one line of plain text or a name in small letters. Retype it.": (
        "{value} deve essere una riga di testo semplice o un nome in minuscolo. Riscrivilo."
    ),
    "it holds more than {limit}, the limit. Shorten it.": "contiene più di {limit}, il limite. Accorcialo.",
    "it holds fewer than {limit}, the least. Add some.": "contiene meno di {limit}, il minimo. Aggiungine.",
    "{value} must be a number.": "{value} deve essere un numero.",
    "{value} must be text.": "{value} deve essere un testo.",
    "{value} must be true or false.": "{value} deve essere true o false.",
    "{value} does not fit ({reason}).": "{value} non va bene ({reason}).",
    "{file} holds the preset {id!r}. Rename the file to {id}.json.": (
        "{file} contiene il preset {id!r}. Rinomina il file in {id}.json."
    ),
    "There is no folder {folder!r} to read presets from. Give one that holds *.json files.": (
        "La cartella {folder!r} da cui leggere i preset non c'è. Indicane una con file *.json."
    ),
    "{folder} holds {count} presets, at most {limit} are read. Remove some.": (
        "{folder} contiene {count} preset, se ne leggono al massimo {limit}. Togline alcuni."
    ),
    # packs
    "A pack holds at most {limit} presets, got {count}.": (
        "Un pacchetto contiene al massimo {limit} preset, qui {count}."
    ),
    "{file} is over {limit} bytes, the limit for a pack. Split it.": (
        "{file} supera {limit} byte, il limite per un pacchetto. Dividilo."
    ),
    "{file} holds {count} entries, at most {limit} are read. Split it.": (
        "{file} contiene {count} voci, se ne leggono al massimo {limit}. Dividilo."
    ),
    "{file} is no zip that can be read. Pack it again.": "{file} non è uno zip leggibile. Ricrealo.",
    # the library
    "The library has no preset {id:.60}. Reload the page.": (
        "La libreria non ha il preset {id:.60}. Ricarica la pagina."
    ),
    "{id!r:.60} is no preset's id. Reload the page.": "{id!r:.60} non è l'id di un preset. Ricarica la pagina.",
    "The library holds {count} presets, at most {limit} are read. Move some files of {folder} elsewhere.": (
        "La libreria contiene {count} preset, se ne leggono al massimo {limit}. Sposta alcuni file di {folder} altrove."
    ),
    "Another program has been writing the library for {seconds:.0f} seconds. Try again.": (
        "Un altro programma scrive nella libreria da {seconds:.0f} secondi. Riprova."
    ),
    "A thumbnail is a WebP of at most {limit} bytes. Make it smaller.": (
        "Una miniatura è un WebP di al massimo {limit} byte. Rimpiccioliscila."
    ),
    "The preset {name} has no version {key:.20}. Reload the page.": (
        "Il preset {name} non ha la versione {key:.20}. Ricarica la pagina."
    ),
    "The preset {name} has {count} versions, the limit is {limit}. Duplicate it and go on with the copy.": (
        "Il preset {name} ha {count} versioni, il limite è {limit}. Duplicalo e continua con la copia."
    ),
    # people
    "viewer": "chi guarda",
    "contributor": "chi contribuisce",
    "owner": "chi possiede la libreria",
    "approved": "approvato",
    "locked": "bloccato",
    "{name} is {state}: only an owner of the library changes it. Duplicate it and change the copy.": (
        "{name} è {state}: lo cambia solo chi possiede la libreria. Duplicalo e cambia la copia."
    ),
    "This takes the role {needed}, yours is {role}. Ask an owner of the library.": (
        "Serve il ruolo di {needed}, il tuo è {role}. Chiedi a chi possiede la libreria."
    ),
    "MIRAGE_LIBRARY is {value!r:.60}, allowed is a dataset repository of the Hub (team/name), or nothing for a "
    "folder on this machine.": (
        "MIRAGE_LIBRARY vale {value!r:.60}; ammesso: un archivio di dati dell'Hub (team/name), o nulla per una "
        "cartella di questa macchina."
    ),
    "MIRAGE_LIBRARY_ROLE is {value!r:.60}, allowed is {allowed}.": (
        "MIRAGE_LIBRARY_ROLE vale {value!r:.60}; ammesso: {allowed}."
    ),
    "Say which library of the Hub: --library TEAM/NAME, or MIRAGE_LIBRARY.": (
        "Indica quale libreria dell'Hub: --library TEAM/NAME, o MIRAGE_LIBRARY."
    ),
    # the Hub
    "The Hub has not been asked yet.": "L'Hub non è ancora stato interrogato.",
    "The Hub is not asked or cannot be reached. {repository} is shown as it was last.": (
        "L'Hub non viene interrogato o non è raggiungibile. {repository} è mostrata com'era l'ultima volta."
    ),
    "The Hub does not answer. {repository} is shown as it was last.": (
        "L'Hub non risponde. {repository} è mostrata com'era l'ultima volta."
    ),
    "The Hub cannot be reached. {repository} is shown as it was last.": (
        "L'Hub non è raggiungibile. {repository} è mostrata com'era l'ultima volta."
    ),
    "The Hub refuses the studio's token for {repository} ({status}). Set HF_TOKEN to one that may write there.": (
        "L'Hub rifiuta il token dello studio per {repository} ({status}). Imposta HF_TOKEN con uno che possa scriverci."
    ),
    "{repository} is not on the Hub ({status}). Check MIRAGE_LIBRARY.": (
        "{repository} non è sull'Hub ({status}). Controlla MIRAGE_LIBRARY."
    ),
    "The Hub asks to wait ({status}). {repository} is tried again in a while.": (
        "L'Hub chiede di aspettare ({status}). Si riprova con {repository} tra un po'."
    ),
    "The Hub has trouble ({status}). {repository} is tried again in a while.": (
        "L'Hub ha un problema ({status}). Si riprova con {repository} tra un po'."
    ),
    "{repository} is being written by many at once. It is tried again.": (
        "In molti scrivono {repository} nello stesso momento. Si riprova."
    ),
    "{repository} holds too many presets, {limit} at most.": "{repository} contiene troppi preset, al massimo {limit}.",
    "{repository} could not be fetched or kept ({reason}).": (
        "{repository} non si è potuta scaricare o conservare ({reason})."
    ),
}
