"""Of the large model: how it fits into the machine."""

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
}
