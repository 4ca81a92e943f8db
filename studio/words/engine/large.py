"""Of the large model: how it fits into the machine, and what it is made of."""

SENTENCES = {
    # profiles
    "profile {name!r} is unknown. Use one of {allowed}.": "Il profilo {name!r} non esiste. Ci sono {allowed}.",
    "{free:.1f} GiB of GPU memory are free, and {name}, which needs least, takes about {needed:.1f} GiB: "
    "{missing:.1f} GiB are missing. Free some, or use the embedded model.": (
        "Sulla scheda grafica sono liberi {free:.1f} GiB; il profilo che ne chiede meno ({name}) ne usa circa "
        "{needed:.1f}: mancano {missing:.1f} GiB. Chiudi altri programmi che la usano o scegli il modello incluso."
    ),
    "profile {name!r} needs the package {package}. Install it, or use float8.": (
        "Il profilo {name!r} richiede il pacchetto {package}. Installalo, o usa float8."
    ),
    "profile {name!r} needs a GPU to take turns on. On a CPU use resident.": (
        "Il profilo {name!r} richiede una scheda grafica. Sul processore usa resident."
    ),
    "profile {name!r} does not suit this model: its weights are kept as {kept}, which run as {only} only. Use "
    "{only}, or convert again without --gguf.": (
        "Il profilo {name!r} non va con questo modello: i suoi pesi sono in formato {kept} e girano solo come "
        "{only}. Usa {only}, o converti di nuovo senza --gguf."
    ),
    "first-block cache {threshold} must be a share from 0. Use 0.05 to 0.2.": (
        "La soglia {threshold} della cache del primo blocco deve essere una quota da 0 in su. Usa da 0.05 a 0.2."
    ),
    "profile {name!r} does not suit weights kept as {kept}. Convert with --gguf {storage}.": (
        "Il profilo {name!r} non va con pesi in formato {kept}. Converti con --gguf {storage}."
    ),
    "Profiles are for the large engine; the embedded one needs no GPU. Leave the profile out.": (
        "I profili sono per il modello grande; quello incluso non usa la scheda grafica. Togli il profilo."
    ),
    # folders and layouts
    "{folder} holds no large model. Give a folder that `python -m pipelines convert` wrote.": (
        "{folder} non contiene un modello grande. Indica una cartella scritta da `python -m pipelines convert`."
    ),
    "{folder} holds no {file}. Give a Wan folder in the diffusers layout.": (
        "{folder} non contiene {file}. Indica una cartella di Wan nel formato di diffusers."
    ),
    "layout {name!r} is unknown. Use one of {known}.": "La disposizione {name!r} non esiste. Usa una tra {known}.",
    "No known layout has {blocks} control blocks; known are {known}. Name one with --layout.": (
        "Nessuna disposizione conosciuta ha {blocks} blocchi di controllo; ci sono {known}. Scegline una con --layout."
    ),
    # conversion
    "{base} holds a control branch or a LoRA already. Give its own base.": (
        "{base} contiene già un ramo di controllo o una LoRA. Indica il suo modello di base."
    ),
    "{file} holds no control branch: none of its tensors is a vace_blocks.0.": (
        "{file} non contiene un ramo di controllo: nessun tensore è un vace_blocks.0."
    ),
    "The backbone has no patch_embedding.weight or no blocks. Is this a Wan transformer?": (
        "Al modello mancano patch_embedding.weight o i blocchi. È un transformer di Wan?"
    ),
    "{channels} channels do not part into {heads} heads. Say num_attention_heads.": (
        "{channels} canali non si dividono in {heads} teste. Indica num_attention_heads."
    ),
    "The file holds {count} control blocks, but vace_layers={layers}.": (
        "Il file contiene {count} blocchi di controllo, ma vace_layers={layers}."
    ),
    "These weights do not make up the model. {wrong}.": "Questi pesi non formano il modello. {wrong}.",
    "{name} of the {source} is there twice, as {new}. Give each tensor once.": (
        "{name} di {source} c'è due volte, come {new}. Ogni tensore deve esserci una volta sola."
    ),
    # LoRA
    "lora_alpha={alpha} is of a LoRA, and there is none. Give one, or leave it out.": (
        "lora_alpha={alpha} vale per una LoRA, ma non ce n'è. Indicane una, o toglilo."
    ),
    "This file holds no LoRA: none of its tensors is a lora_A or lora_down.": (
        "Questo file non contiene una LoRA: nessun tensore è un lora_A o lora_down."
    ),
    "This LoRA holds {count} full differences, such as {name}. Give one without.": (
        "Questa LoRA contiene {count} differenze intere, come {name}. Usane una senza."
    ),
    "The LoRA's alpha {alpha} must be positive. Its rank makes the weight 1.": (
        "L'alpha {alpha} della LoRA deve essere positivo. Con il suo rango il peso è 1."
    ),
    "lora_alpha={alpha}, but the LoRA file says {other}. Leave it out.": (
        "lora_alpha={alpha}, ma il file della LoRA indica {other}. Toglilo."
    ),
    "{file} does not tell its rank and alpha. Convert it again.": (
        "{file} non indica rango e alpha. Convertilo di nuovo."
    ),
    "{name} of the LoRA is {shape}, not one number.": "{name} della LoRA è {shape}, non un numero solo.",
    "steps={value} must be a whole number from 1. Use {usual}.": (
        "steps={value} deve essere un numero intero da 1 in su. Usa {usual}."
    ),
    "alpha={value} must be a positive number. Use the rank of its file.": (
        "alpha={value} deve essere un numero positivo. Usa il rango del suo file."
    ),
    "{name}={value} must be a positive number. Use {usual}.": (
        "{name}={value} deve essere un numero positivo. Usa {usual}."
    ),
    # a LoRA for few steps
    "A few-step LoRA is for the large engine; the embedded one is fast. Leave it out.": (
        "Un LoRA per pochi passi serve al motore grande; quello incluso è già veloce. Toglilo."
    ),
    "{name} is in use already. Open the pipeline again.": "{name} è già in uso. Apri di nuovo la pipeline.",
}
