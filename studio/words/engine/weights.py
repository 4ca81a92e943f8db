"""Of weights that are fetched from the Hub or read from files."""

SENTENCES = {
    # the Hub
    "{name} is no folder here and no Hub repository's name. Check it.": (
        "{name} non è una cartella di questa macchina né il nome di un archivio dell'Hub. Controllalo."
    ),
    "{name} asks for its terms to be accepted. Do so on its page, then log in with `hf auth login`.": (
        "{name} chiede di accettare le sue condizioni. Fallo sulla sua pagina, poi accedi con `hf auth login`."
    ),
    "{name} does not exist on the Hub, or needs a login. Check the name, or run `hf auth login`.": (
        "{name} non esiste sull'Hub, o richiede l'accesso. Controlla il nome o usa `hf auth login`."
    ),
    "{name} has no revision {revision!r}. Check it.": "{name} non ha la revisione {revision!r}. Controllala.",
    "{name} is not complete on this machine and the Hub cannot be reached. Connect to fetch the rest.": (
        "{name} non è completo su questa macchina e l'Hub non è raggiungibile. Serve la rete per scaricarlo."
    ),
    "{name} could not be fetched: the Hub answers {status}. Log in with `hf auth login`.": (
        "{name} non si scarica: l'Hub risponde {status}. Accedi con `hf auth login`."
    ),
    "{name} could not be fetched: the Hub answers {status}. Try again later.": (
        "{name} non si scarica: l'Hub risponde {status}. Riprova più tardi."
    ),
    "The connection broke while {name} was fetched. Try again: it goes on from there.": (
        "La connessione è caduta mentre si scaricava {name}. Riprova: riparte da dove era arrivato."
    ),
    "{name} needs {needed:.1f} GiB, {free:.1f} are free. Free some disk space.": (
        "{name} richiede {needed:.1f} GiB, ne sono liberi {free:.1f}. Libera spazio sul disco."
    ),
    "The disk became full while {name} was fetched. Free some space and try again: it goes on from there.": (
        "Il disco si è riempito mentre si scaricava {name}. Libera spazio e riprova: riparte da lì."
    ),
    "{file} of {name} is damaged and was removed. Fetch it again.": (
        "{file} di {name} è danneggiato ed è stato tolto. Scaricalo di nuovo."
    ),
    "{file} of {name} is not the file that is known by this name, and was removed. Ask who publishes it.": (
        "{file} di {name} non è il file noto con questo nome ed è stato tolto. Chiedi a chi lo pubblica."
    ),
    "{name} cannot be kept in {place} ({why}). Choose another folder with HF_HOME.": (
        "{name} non si può tenere in {place} ({why}). Scegli un'altra cartella con HF_HOME."
    ),
    "{name} holds no {file}. Look on its page how the file is called now.": (
        "{name} non contiene {file}. Guarda sulla sua pagina come si chiama ora il file."
    ),
    # files
    "{path} does not exist. Check the name.": "{path} non esiste. Controlla il nome.",
    "{path} is no safetensors file, index or folder. Give one; other formats may run code.": (
        "{path} non è un file safetensors, né un indice, né una cartella. Indicane uno: altri formati potrebbero "
        "eseguire codice."
    ),
    "{file} is no index of safetensors files. Fetch it again.": (
        "{file} non è un indice di file safetensors. Scaricalo di nuovo."
    ),
    "{file} names {missing}, not there. Fetch the rest.": "{file} nomina {missing}, che non c'è. Scarica il resto.",
    "{file} cannot be read ({error}). Download it again.": "{file} non si legge ({error}). Scaricalo di nuovo.",
    "{name} is in two files of {folder}. Give each tensor once.": (
        "{name} sta in due file di {folder}. Ogni tensore deve esserci una volta sola."
    ),
    "{folder} holds no {part}. Fetch or convert it again.": (
        "{folder} non contiene {part}. Scaricalo o convertilo di nuovo."
    ),
    "{path} cannot be read ({reason}). Fetch it again.": "{path} non si legge ({reason}). Scaricalo di nuovo.",
    "{path} holds no JSON object. Fetch it again.": "{path} non contiene un oggetto JSON. Scaricalo di nuovo.",
    "{model} holds no model_index.json. Give a folder in the diffusers layout.": (
        "{model} non contiene model_index.json. Indica una cartella nel formato di diffusers."
    ),
    "{file} is no file here, nor one on the Hub (team/name/FILE.safetensors). Check it.": (
        "{file} non è un file di questa macchina né dell'Hub (team/nome/FILE.safetensors). Controllalo."
    ),
    "The depth estimator {name} takes no {option}. Leave it out.": (
        "Lo stimatore di profondità {name} non accetta {option}. Togli l'opzione."
    ),
    # files that are damaged, and GGUF
    "A file in {folder} cannot be read ({error}). Fetch or convert it again.": (
        "Un file in {folder} non si legge ({error}). Scaricalo o convertilo di nuovo."
    ),
    "GGUF files need the package gguf. Install it: pip install gguf.": (
        "I file GGUF richiedono il pacchetto gguf. Installalo: pip install gguf."
    ),
    "GGUF kind {kind!r} is unknown. Use one of {known}.": "Il tipo GGUF {kind!r} non esiste. Usa uno tra {known}.",
    "{file} cannot be read ({error}). Fetch or convert it again.": (
        "{file} non si legge ({error}). Scaricalo o convertilo di nuovo."
    ),
    "OneFormer could not be loaded: {reason} pipelines.masks.StaticMask needs no download.": (
        "OneFormer non si può caricare: {reason} pipelines.masks.StaticMask non scarica nulla."
    ),
    "{revision} of {name} has changed to {commit}. Name a revision to trust.": (
        "{revision} di {name} è cambiata: ora è {commit}. Indica una revisione di cui ti fidi."
    ),
    "This model has no class {missing}; it knows {known}. Give an ADE20K checkpoint, or other names in leave_out.": (
        "Questo modello non ha la classe {missing}; conosce {known}. Usane uno di ADE20K, o altri nomi in leave_out."
    ),
    # how a model is to run
    "--device cuda: torch sees no GPU here. Use --device cpu, or install a build of torch for it.": (
        "--device cuda: torch non vede nessuna scheda grafica. Usa --device cpu, o installa una versione adatta."
    ),
    "--profile auto looks at the GPU's free memory, and there is none. Name one, or leave it out.": (
        "--profile auto guarda la memoria libera della scheda grafica, che qui non c'è. Indica un profilo, o toglilo."
    ),
    "{option} is for large models; the embedded one needs no GPU. Leave it out.": (
        "{option} serve ai modelli grandi; quello incluso non usa la scheda grafica. Togli l'opzione."
    ),
    "--first-block-cache goes with a profile. Give one, for example --profile resident.": (
        "--first-block-cache va con un profilo. Indicane uno, per esempio --profile resident."
    ),
    "{option} {text} must be NAME=VALUE, for example {option} strength=0.5.": (
        "{option} {text} deve essere NOME=VALORE, per esempio {option} strength=0.5."
    ),
    "{option} {name} is unknown. Use one of {allowed}.": "{option} {name} non esiste. Usa uno tra {allowed}.",
    # where files go
    "{path} is there already and is no file. Choose another name.": (
        "{path} c'è già e non è un file. Scegli un altro nome."
    ),
    "{path} is there already and is no folder. Choose another name.": (
        "{path} c'è già e non è una cartella. Scegli un altro nome."
    ),
    "{path} is there already. Give a folder that does not exist yet.": (
        "{path} c'è già. Indica una cartella che non esiste ancora."
    ),
    # weights that do not fit a model
    "The weights in {folder} do not fit. {wrong}. Fetch or convert them again.": (
        "I pesi in {folder} non vanno bene. {wrong}. Scaricali o convertili di nuovo."
    ),
    "The weights in {name} do not fit. {wrong}.": "I pesi in {name} non vanno bene. {wrong}.",
    "{count} missing: {names}": "{count} mancanti: {names}",
    "{count} of another shape: {names}": "{count} di un'altra forma: {names}",
    "{count} of whole numbers: {names}": "{count} di numeri interi: {names}",
    "{count} left over: {names}": "{count} di troppo: {names}",
    "{part}; {others}": "{part}; {others}",
}
