"""Of cameras, trajectories and editable paths."""

SENTENCES = {
    # cameras
    "{name}={value!r} must be a whole number of pixels. Use int({name}).": (
        "{name}={value!r} deve essere un numero intero di pixel. Usa int({name})."
    ),
    "{name}={value} must be 1..{high} pixels. Give the size of the image or latent grid.": (
        "{name}={value} deve essere tra 1 e {high} pixel. Indica la dimensione dell'immagine."
    ),
    "fov_degrees={value} must be {low:g}..{high:g} (across the long side). Use 60.": (
        "fov_degrees={value} deve essere tra {low:g} e {high:g} (sul lato lungo). Usa 60."
    ),
    "K{where} is singular: fx={fx:g}, fy={fy:g}, both must be > 0 pixels. Give focals in pixels, for example with "
    "Camera.from_fov(60, height, width).": (
        "K{where} è singolare: fx={fx:g}, fy={fy:g}, ma devono essere entrambi sopra 0 pixel. Indica le focali in "
        "pixel, per esempio con Camera.from_fov(60, height, width)."
    ),
    "K{where} is {value}, but must be [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]: no skew, no scale. Divide by K[2, 2] "
    "and undistort the image first.": (
        "K{where} è {value}, ma deve essere [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]: senza inclinazione e senza "
        "scala. Dividi per K[2, 2] e togli prima la distorsione dell'immagine."
    ),
    "c2w{where} has the last row {row}, which must be [0, 0, 0, 1]. Append that row to a 3x4 pose, or transpose a "
    "column-major one.": (
        "L'ultima riga di c2w{where} è {row}, ma deve essere [0, 0, 0, 1]. Aggiungila a una posa 3x4, o trasponi "
        "una matrice scritta per colonne."
    ),
    "c2w{where} is not rigid: its rotation is off by {error:.2g}, at most {limit:g} is allowed. Remove scale and "
    "shear from the pose.": (
        "c2w{where} non è rigida: la sua rotazione è sbagliata di {error:.2g}, è ammesso al massimo {limit:g}. "
        "Togli scala e deformazione dalla posa."
    ),
    "c2w{where} mirrors the world: the determinant of its rotation is -1, must be +1. Convert to OpenCV axes (+x "
    "right, +y down, +z forward) by flipping two axes, not one.": (
        "c2w{where} specchia il mondo: il determinante della sua rotazione è -1, ma deve essere +1. Passa agli "
        "assi OpenCV (+x a destra, +y in giù, +z avanti) invertendo due assi, non uno."
    ),
    "c2w{where} is {away:.3g} scene units away, at most {limit:g} is allowed. Give translations in metres, or "
    "relative to the photo's camera.": (
        "c2w{where} è lontana {away:.3g} unità, il massimo è {limit:g}. Indica le posizioni in metri, o rispetto "
        "alla videocamera della foto."
    ),
    " of frame {index}": " del fotogramma {index}",
    "{name} must be an array of numbers of shape {shape}, got {got}.": (
        "{name} deve essere una matrice di numeri di forma {shape}, non {got}."
    ),
    "{name} has shape {got}, must be {shape}.": "{name} ha forma {got}, ma deve avere forma {shape}.",
    "{name}{where} holds NaN or infinity, must be finite. Fix or drop that pose.": (
        "{name}{where} contiene NaN o infinito, ma i numeri devono essere finiti. Correggi o togli quella posa."
    ),
    # trajectories
    "c2w has shape {shape}, must be (T, 4, 4): one pose per frame.": (
        "c2w ha forma {shape}, ma deve essere (T, 4, 4): una posa per fotogramma."
    ),
    "The path has {frames} frames, must be 1..{limit}. Cut it into shorter clips.": (
        "Il percorso ha {frames} fotogrammi, ma devono essere tra 1 e {limit}. Dividilo in video più brevi."
    ),
    "The cameras have sizes {sizes}, must be one size. Use camera.resized(height, width).": (
        "Le videocamere hanno dimensioni diverse ({sizes}), ma deve essercene una sola. Usa camera.resized(height, "
        "width)."
    ),
    "fps={fps!r:.80} must be a number from 1 to {limit}. Use {usual}.": (
        "fps={fps!r:.80} deve essere un numero da 1 a {limit}. Usa {usual}."
    ),
    "distance={distance!r:.60} must be 0.001..100000 scene units. Use the median depth of the subject.": (
        "distance={distance!r:.60} deve essere tra 0,001 e 100000 unità. Usa la profondità mediana del soggetto."
    ),
    "A trajectory must be a JSON object, got {got}. See docs/trajectory.md.": (
        "Una traiettoria deve essere un oggetto JSON, non {got}. Vedi docs/trajectory.md."
    ),
    "The trajectory lacks {keys}. Add them as in docs/trajectory.md.": (
        "Alla traiettoria manca: {keys}. Aggiungi come in docs/trajectory.md."
    ),
    "The trajectory has unknown keys {keys:.200}. Remove them.": (
        "La traiettoria contiene voci sconosciute: {keys:.200}. Toglile."
    ),
    "The trajectory's {key} is {got!r:.80}, only {value!r} is read. Convert it.": (
        "La voce {key} della traiettoria è {got!r:.80}, ma si legge solo {value!r}. Convertila."
    ),
    "{place} is {got}, must be a list of {count}. See docs/trajectory.md.": (
        "{place} è {got}, ma deve essere un elenco di {count}. Vedi docs/trajectory.md."
    ),
    "a list of {count}": "un elenco di {count}",
    "{place} is {value!r:.40}, must be a number.": "{place} è {value!r:.40}, ma deve essere un numero.",
    "{name} holds a number too large for float64. Give translations in metres.": (
        "{name} contiene un numero troppo grande. Indica le posizioni in metri."
    ),
    "{file} cannot be opened ({reason}). Give a trajectory file.": (
        "{file} non si può aprire ({reason}). Indica il file di una traiettoria."
    ),
    "{file} is over {limit} bytes, the limit. Shorten the path.": (
        "{file} supera il limite di {limit} byte. Accorcia il percorso."
    ),
    "{file} is not JSON ({reason}). Save it as in docs/trajectory.md.": (
        "{file} non è JSON ({reason}). Salvalo come in docs/trajectory.md."
    ),
    "{file}: {reason}": "{file}: {reason}",
    # moves
    "Unknown move {name!r:.60}. Choose from {allowed}.": "Il movimento {name!r:.60} non esiste. Scegli tra {allowed}.",
    "The move {move} has no parameter {unknown:.80}. It takes {known}.": (
        "Il movimento {move} non ha il parametro {unknown:.80}. Accetta {known}."
    ),
    "{name}={value!r:.60} must be {low:g}..{high:g}. Use {default:g}.": (
        "{name}={value!r:.60} deve essere tra {low:g} e {high:g}. Usa {default:g}."
    ),
    "{name}={value!r:.60} must be one of {allowed}. Use {default}.": (
        "{name}={value!r:.60} deve essere uno tra {allowed}. Usa {default}."
    ),
    "frames={frames!r:.60} must be a whole number within {least}..{most}. Use {usual}, which are {seconds} seconds.": (
        "frames={frames!r:.60} deve essere un numero intero tra {least} e {most}. Usa {usual}, cioè {seconds} secondi."
    ),
    "loop={value!r:.40} must be true or false.": "loop={value!r:.40} deve essere true o false.",
    "factor={factor!r:.60} must be 0..1. Use 0.5 for half the motion.": (
        "factor={factor!r:.60} deve essere tra 0 e 1. Usa 0.5 per metà del movimento."
    ),
    "Frame {index} turns by {degrees:.1f} degrees from frame 0, must be under 179 to be shortened. Cut the path "
    "first.": (
        "Il fotogramma {index} è girato di {degrees:.1f} gradi rispetto al primo: per accorciare il percorso "
        "devono essere meno di 179. Prima taglialo."
    ),
    # editable paths
    "The path has {count} keys, must be {low}..{high}. {fix}": (
        "Il percorso ha {count} punti, ma devono essere tra {low} e {high}. {fix}"
    ),
    "Add a key.": "Aggiungi un punto.",
    "Remove keys, or draw the way as a stroke.": "Togli dei punti, o disegna il percorso in un tratto.",
    "The path": "Il percorso",
    "Key {number}": "Il punto {number}",
    "Key {number}: {reason}": "Punto {number}: {reason}",
    "{place} must be a JSON object, got {got}. See docs/path.md.": (
        "{place} deve essere un oggetto JSON, non {got}. Vedi docs/path.md."
    ),
    "{place} lacks {fields}. Add them as in docs/path.md.": "{place} non ha: {fields}. Aggiungi come in docs/path.md.",
    "{place} has unknown fields {fields:.200}. Remove them.": (
        "{place} contiene voci sconosciute: {fields:.200}. Toglile."
    ),
    "The path's version is {got!r:.40}, only {version} is read. Convert it.": (
        "La versione del percorso è {got!r:.40}, ma si legge solo la {version}. Convertilo."
    ),
    "The path's keys are {got}, must be a list. See docs/path.md.": (
        "I punti del percorso sono {got}, ma devono essere un elenco. Vedi docs/path.md."
    ),
    "{name}={value!r:.40} must be a number from {low:g} to {high:g} {unit}.": (
        "{name}={value!r:.40} deve essere un numero da {low:g} a {high:g} {unit}."
    ),
    "seconds": "secondi",
    "degrees": "gradi",
    "{name} must be a list of {count} numbers, got {got}.": (
        "{name} deve essere un elenco di {count} numeri, non {got}."
    ),
    "{count} values": "{count} valori",
    "{name} is {away:.3g} scene units away, must be within {limit:g}. Give metres, or distances relative to the "
    "photo's camera.": (
        "{name} è lontano {away:.3g} unità, il massimo è {limit:g}. Indica metri, o distanze dalla videocamera "
        "della foto."
    ),
    "orientation is a quaternion of length {length:.3g}, must be 1 (it is normalised from 1e-6..1e6). Use [1, 0, "
    "0, 0] to look straight ahead.": (
        "orientation è un quaternione lungo {length:.3g}, ma deve essere 1 (tra 1e-6 e 1e6 viene normalizzato). "
        "Usa [1, 0, 0, 0] per guardare diritto."
    ),
    "ease={value!r:.40} must be one of {allowed}. Use linear.": (
        "ease={value!r:.40} deve essere uno tra {allowed}. Usa linear."
    ),
    "name={value!r:.60} must be one line of at most {limit} letters. Shorten it.": (
        "name={value!r:.60} deve essere una sola riga di al massimo {limit} lettere. Accorcialo."
    ),
    "Key 1: time={time:g} must be 0. Subtract {time:g} from every time.": (
        "Punto 1: time={time:g} deve essere 0. Togli {time:g} da ogni tempo."
    ),
    "Key {number}: time={time:g} must be later than key {before} ({earlier:g}). Sort the keys by time and keep one "
    "of those at the same time.": (
        "Punto {number}: time={time:g} deve venire dopo il punto {before} ({earlier:g}). Metti i punti in ordine "
        "di tempo e tienine uno solo per ogni istante."
    ),
    "Key {number}: time={time:g} is the length of the path, must be {low:g}..{high:g} seconds. Retime the path.": (
        "Punto {number}: time={time:g} è la durata del percorso, ma deve essere tra {low:g} e {high:g} secondi. "
        "Cambia la durata."
    ),
    "closed={value!r:.40} must be true or false.": "closed={value!r:.40} deve essere true o false.",
    "Key {number}: a closed path must end at key 1 within {limit:g}, but its last key is {apart:.3g} away. Add a "
    "last key that equals key 1, or set closed to false.": (
        "Punto {number}: un percorso chiuso deve finire al punto 1 entro {limit:g}, ma l'ultimo punto ne dista "
        "{apart:.3g}. Aggiungi un ultimo punto uguale al primo, o metti closed a false."
    ),
    "The path has {frames} frames at fps={fps:g}, must be at most {limit}. Use fps={fix:.0f} or less.": (
        "A fps={fps:g} il percorso ha {frames} fotogrammi, ma al massimo possono essere {limit}. Usa fps={fix:.0f} "
        "o meno."
    ),
    "keys={count} must be {low}..{high}. Use 24.": "keys={count} deve essere tra {low} e {high}. Usa 24.",
    "The trajectory has {frames} frames and takes {seconds:g} s, must be at least 2 frames and {low:g}..{high:g} s "
    "to be edited. Cut it, or give another fps.": (
        "La traiettoria ha {frames} fotogrammi e dura {seconds:g} s: per modificarla servono almeno 2 fotogrammi e "
        "tra {low:g} e {high:g} s. Tagliala, o cambia fps."
    ),
    "Frame {index} is at {position} with a field of view of {fov:.4g} degrees; a path takes {limit:g} scene units "
    "and {low:g}..{high:g} degrees. Scale the trajectory.": (
        "Il fotogramma {index} è in {position} con un angolo di campo di {fov:.4g} gradi; un percorso accetta "
        "{limit:g} unità e da {low:g} a {high:g} gradi. Riscala la traiettoria."
    ),
}
