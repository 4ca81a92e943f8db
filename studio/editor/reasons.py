"""Why cameras or a path were refused, in Italian.

The English sentences belong to `pipelines.cameras`, which says them on the command line too; this is their catalogue. A
star stands for whatever is filled in, in the same order on both sides, and may hold a sentence of its own. A test holds
the catalogue complete.
"""

import re

SENTENCES = {
    # files
    "* does not exist. Give a file with cameras, or a folder.": "* non esiste. Scegli un file di videocamere.",
    "* holds no cameras: no transforms.json, no cameras.txt with images.txt (there or in sparse/0) and no w2c.txt with "
    "intrinsics.txt. Give the folder that does.": "* non contiene videocamere: né transforms.json, né cameras.txt con "
    "images.txt, né w2c.txt con intrinsics.txt. Scegli insieme i file di un formato.",
    "* is no .json, .txt or .py. Give a file of docs/formats.md, or a folder.": "* non è un .json, .txt o .py. Scegli "
    "un file di uno dei formati conosciuti.",
    "* is not JSON (*). Save it again.": "* non è JSON (*). Salvalo di nuovo.",
    "* is not JSON (*). Save it as in docs/trajectory.md.": "* non è JSON (*). Salvalo come in docs/trajectory.md.",
    "* has neither c2w (a trajectory), keys (an editable path) nor frames (nerfstudio). See docs/formats.md.": "* non "
    "ha né c2w (una traiettoria), né keys (un percorso), né frames (nerfstudio). Vedi docs/formats.md.",
    "* is over * bytes, the limit. Cut the path.": "* supera il limite di * byte. Taglia il percorso.",
    "* is over * bytes, the limit. Shorten the path.": "* supera il limite di * byte. Accorcia il percorso.",
    "* cannot be opened (*). Check it.": "* non si può aprire (*). Controllalo.",
    "* cannot be opened (*). Give a trajectory file.": "* non si può aprire (*). Indica un file di traiettoria.",
    "* is no text in UTF-8. Give a file of docs/formats.md.": "* non è testo in UTF-8. Scegli un file di videocamere.",
    "--size *x* has another shape than the cameras (*x*). Use a size of that shape.": "La forma *x* non è quella delle "
    "videocamere (*x*). Usa una dimensione della stessa forma.",
    "Unknown format *. Choose from *.": "Formato sconosciuto: *. Scegli tra *.",
    "Unknown correction *. Choose from *.": "Correzione sconosciuta: *. Scegli tra *.",
    "The folder * does not exist. Make it first.": "La cartella * non esiste. Creala prima.",
    # formats
    "The script has no line * (*). Only scripts written here are read.": "Allo script manca la riga * (*). Si leggono "
    "solo gli script scritti qui.",
    "The line PATH of the script is not JSON. Export the path again.": "La riga PATH dello script non è JSON. Esporta "
    "di nuovo il percorso.",
    "The script has no frames, at least 1 is needed. Export the path again.": "Lo script non ha fotogrammi, ne serve "
    "almeno 1. Esporta di nuovo il percorso.",
    "The numbers of the script cannot be read (*). Export the path again.": "I numeri dello script non si leggono (*). "
    "Esporta di nuovo il percorso.",
    "Frame * has fx=* and fy=* pixels, must be equal for Blender. Resize the path to the shape it was made for.": "Il "
    "fotogramma * ha fx=* e fy=* pixel, per Blender devono essere uguali. Usa la forma per cui il percorso è nato.",
    "* missing (*). Export with colmap model_converter, type TXT.": "Manca * (*). Esporta con colmap model_converter, "
    "tipo TXT, e scegli insieme i file.",
    "* missing (*). Give the folder that holds both.": "Manca * (*). Scegli insieme i due file.",
    "images.txt lists no image, at least 1 is needed. Export the model again.": "images.txt non elenca immagini, ne "
    "serve almeno 1. Esporta di nuovo il modello.",
    "* has * words, must be *. Fix it.": "* ha * parole, deve essere *. Correggila.",
    "* has the model *, only * are read. Undistort the pictures with colmap image_undistorter first.": "* ha il "
    "modello *, si leggono solo *. Togli prima la distorsione con colmap image_undistorter.",
    "* must list 2D points in threes or be empty; it has * words. Put an empty line after every image.": "* deve "
    "elencare punti 2D a tre a tre o essere vuota; ha * parole. Metti una riga vuota dopo ogni immagine.",
    "distance=* must be 0.001..100000 scene units. Use the median depth of the subject.": "distance=* deve essere "
    "0.001..100000 unità. Usa la profondità media del soggetto.",
    "* names the camera *, which cameras.txt does not have. Add it.": "* nomina la videocamera *, che in "
    "cameras.txt non c'è. Aggiungila.",
    "There is no list of frames, which a transforms.json has (*). Give that file.": "Manca l'elenco dei fotogrammi di "
    "un transforms.json (*). Scegli quel file.",
    "The list of frames is empty, at least 1 camera is needed. Export the cameras again.": "L'elenco dei fotogrammi è "
    "vuoto, serve almeno 1 videocamera. Esporta di nuovo le videocamere.",
    "* lacks *, here or at the top of the file. Add them.": "A * manca *, qui o in cima al file. Aggiungi.",
    "* has lens distortion *, must be 0. Undistort the pictures first.": "* ha una distorsione dell'obiettivo *, deve "
    "essere 0. Toglila prima dalle immagini.",
    "There is no line of * (*). Give a RealEstate10K file.": "Non c'è nessuna riga di * (*). Scegli un file "
    "RealEstate10K.",
    "* holds *, must be * finite numbers. Fix or drop it.": "* contiene *, devono essere * numeri finiti. Correggila o "
    "toglila.",
    "* has * numbers where * belong. Export the model again.": "* ha * numeri, ne servono *. Esporta di nuovo.",
    "* has a quaternion of length *, must be 1 within *. Check the order QW QX QY QZ.": "* ha un quaternione lungo *, "
    "deve essere 1 entro *. Controlla l'ordine QW QX QY QZ.",
    "* is *, must be a whole number of pixels. Fix it.": "* è *, deve essere un numero intero di pixel. Correggi.",
    "w2c.txt has * cameras and intrinsics.txt * lines, must be one line, or one per camera, and at least one camera. "
    "Export the pair again.": "w2c.txt ha * videocamere e intrinsics.txt * righe: serve una riga, o una per "
    "videocamera, e almeno una videocamera. Esporta di nuovo i due file.",
    "* is no JSON matrix (*). Write one 3x4 or 4x4 per line.": "* non è una matrice JSON (*). Scrivine una 3x4 o 4x4 "
    "per riga.",
    "Frame * has another lens than frame 0 (* and * widths); the Spatia pair holds one lens for all. Keep one field of "
    "view, or export RealEstate10K.": "Il fotogramma * ha un altro obiettivo rispetto al primo (* e * larghezze); "
    "Spatia ne tiene uno solo per tutti. Tieni un solo obiettivo o salva per RealEstate10K.",
    # cameras
    "*, read as *: *": "*, letto come *: *",
    "w2c has shape *, must be (3, 4) or (4, 4).": "w2c ha forma *, deve essere (3, 4) o (4, 4).",
    "w2c holds NaN or infinity, must be finite. Fix or drop that pose.": "w2c contiene NaN o infinito. Correggi o "
    "togli quella posa.",
    "w2c has the last row *, must be [0, 0, 0, 1]. Transpose the matrix.": "L'ultima riga di w2c è *, deve essere "
    "[0, 0, 0, 1]. Trasponi la matrice.",
    "* must be a whole number of pixels. Use int(*).": "* deve essere un numero intero di pixel. Usa int(*).",
    "* must be 1..* pixels. Give the size of the image or latent grid.": "* deve essere 1..* pixel. Indica la "
    "dimensione dell'immagine.",
    "fov_degrees=* must be * (across the long side). Use 60.": "fov_degrees=* deve essere * (sul lato lungo). Usa 60.",
    "K* is singular: *, both must be > 0 pixels. Give focals in pixels, for example with Camera.from_fov(60, height, "
    "width).": "K* è singolare: *, entrambi devono essere > 0 pixel. Indica le focali in pixel.",
    "K* is *, but must be [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]: no skew, no scale. Divide by K[2, 2] and undistort "
    "the image first.": "K* è *, ma deve essere [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]. Dividi per K[2, 2] e togli "
    "prima la distorsione.",
    "c2w* has the last row *, which must be [0, 0, 0, 1]. Append that row to a 3x4 pose, or transpose a column-major "
    "one.": "L'ultima riga di c2w* è *, deve essere [0, 0, 0, 1]. Aggiungila a una posa 3x4, o trasponi la matrice.",
    "c2w* is not rigid: its rotation is off by *, at most * is allowed. Remove scale and shear from the pose.": "c2w* "
    "non è rigida: la rotazione sbaglia di *, al massimo *. Togli scala e deformazione dalla posa.",
    "c2w* mirrors the world: the determinant of its rotation is -1, must be +1. Convert to OpenCV axes (+x right, +y "
    "down, +z forward) by flipping two axes, not one.": "c2w* specchia il mondo: il determinante della rotazione è -1, "
    "deve essere +1. Passa agli assi OpenCV (+x destra, +y giù, +z avanti) girando due assi, non uno.",
    "c2w* is * scene units away, at most * is allowed. Give translations in metres, or relative to the photo's "
    "camera.": "c2w* dista * unità, al massimo *. Indica le posizioni in metri o rispetto alla videocamera della foto.",
    "* has shape *, must be *.": "* ha forma *, deve essere *.",
    "* holds NaN or infinity, must be finite. Fix or drop that pose.": "* contiene NaN o infinito. Correggi o togli "
    "quella posa.",
    "* must be an array of numbers of shape *, got *.": "* deve essere una matrice di numeri di forma *, non *.",
    # trajectories
    "c2w has shape *, must be (T, 4, 4): one pose per frame.": "c2w ha forma *, deve essere (T, 4, 4): una posa per "
    "fotogramma.",
    "The path has * frames, must be *. Cut it into shorter clips.": "Il percorso ha * fotogrammi, devono essere *. "
    "Taglialo in video più brevi.",
    "The path has * frames at fps=*, must be at most *. Use fps=* or less.": "Il percorso ha * fotogrammi a fps=*, al "
    "massimo *. Usa fps=* o meno.",
    "The cameras have sizes *, must be one size. Use camera.resized(height, width).": "Le videocamere hanno dimensioni "
    "*, deve essere una sola. Esporta le immagini a una sola dimensione.",
    "A trajectory must be a JSON object, got *. See docs/trajectory.md.": "Una traiettoria è un oggetto JSON, non *. "
    "Vedi docs/trajectory.md.",
    "The trajectory lacks *. Add them as in docs/trajectory.md.": "Alla traiettoria manca *. Aggiungi come in "
    "docs/trajectory.md.",
    "The trajectory has unknown keys *. Remove them.": "La traiettoria ha chiavi sconosciute: *. Toglile.",
    "The trajectory's * is *, only * is read. Convert it.": "* della traiettoria è *, si legge solo *. Convertila.",
    "* is *, must be a list of *. See docs/trajectory.md.": "* è *, deve essere un elenco di *.",
    "* is *, must be a number.": "* è *, deve essere un numero.",
    "* holds a number too large for float64. Give translations in metres.": "* contiene un numero troppo grande. "
    "Indica le posizioni in metri.",
    "fps=* must be a number from 1 to *. Use *.": "fps=* deve essere un numero da 1 a *. Usa *.",
    "keys=* must be *. Use 24.": "keys=* deve essere *. Usa 24.",
    "The trajectory has * frames and takes * s, must be at least 2 frames and * s to be edited. Cut it, or give "
    "another fps.": "La traiettoria ha * fotogrammi e dura * s; per modificarla servono almeno 2 fotogrammi e * s. "
    "Tagliala o cambia fps.",
    "Frame * is at * with a field of view of * degrees; a path takes * scene units and * degrees. Scale the "
    "trajectory.": "Il fotogramma * è in * con un angolo di campo di * gradi; un percorso accetta * unità e * gradi. "
    "Riscala la traiettoria.",
    # editable paths
    "The text has * letters, at most * are read. Shorten the path.": "Il testo ha * lettere, se ne leggono al massimo "
    "*. Accorcia il percorso.",
    "Key 1: time=* must be 0. Subtract * from every time.": "Punto 1: time=* deve essere 0. Togli * da ogni tempo.",
    "Key *: *": "Punto *: *",
    "The path has * keys, must be *. *": "Il percorso ha * punti, devono essere *. *",
    "time=* must be later than key * (*). Sort the keys by time and keep one of those at the same time.": "time=* deve "
    "venire dopo il punto * (*). Ordina i punti per tempo e tienine uno solo per istante.",
    "time=* is the length of the path, must be * seconds. Retime the path.": "time=* è la durata del percorso, devono "
    "essere * secondi. Cambia la durata.",
    "closed=* must be true or false.": "closed=* deve essere true o false.",
    "a closed path must end at key 1 within *, but its last key is * away. Add a last key that equals key 1, or set "
    "closed to false.": "un percorso chiuso finisce al punto 1 entro *, ma l'ultimo punto ne dista *. Aggiungi un "
    "ultimo punto uguale al primo, o metti closed a false.",
    "The path's version is *, only * is read. Convert it.": "La versione del percorso è *, si legge solo *. "
    "Convertilo.",
    "The path's keys are *, must be a list. See docs/path.md.": "I punti del percorso sono *, deve essere un elenco. "
    "Vedi docs/path.md.",
    "* must be a JSON object, got *. See docs/path.md.": "* deve essere un oggetto JSON, non *. Vedi docs/path.md.",
    "* lacks *. Add them as in docs/path.md.": "A * manca *. Aggiungi come in docs/path.md.",
    "* has unknown fields *. Remove them.": "* ha campi sconosciuti: *. Toglili.",
    "* must be a number from * to * *.": "* deve essere un numero da * a * *.",
    "* must be a list of * numbers, got *.": "* deve essere un elenco di * numeri, non *.",
    "* is * scene units away, must be within *. Give metres, or distances relative to the photo's camera.": "* dista * "
    "unità, al massimo *. Indica metri, o distanze dalla videocamera della foto.",
    "orientation is a quaternion of length *, must be 1 (it is normalised from 1e-6..1e6). Use [1, 0, 0, 0] to look "
    "straight ahead.": "orientation è un quaternione lungo *, deve essere 1. Usa [1, 0, 0, 0] per guardare diritto.",
    "ease=* must be one of *. Use linear.": "ease=* deve essere uno di *. Usa linear.",
    "name=* must be one line of at most * letters. Shorten it.": "name=* deve essere una riga di al massimo * lettere. "
    "Accorcialo.",
    # conventions
    "*, c2w in OpenGL axes (+x right, +y up, -z forward)": "*, c2w in assi OpenGL (+x destra, +y su, -z avanti)",
    "*, c2w in OpenCV axes (+x right, +y down, +z forward)": "*, c2w in assi OpenCV (+x destra, +y giù, +z avanti)",
    "*, w2c in OpenCV axes (+x right, +y down, +z forward)": "*, w2c in assi OpenCV (+x destra, +y giù, +z avanti)",
    "Spatia, w2c in OpenCV axes (+x right, +y down, +z forward), intrinsics in widths and heights": "Spatia, w2c in "
    "assi OpenCV (+x destra, +y giù, +z avanti), obiettivo in larghezze e altezze",
    "RealEstate10K, w2c 3x4 in OpenCV axes (+x right, +y down, +z forward), intrinsics in widths and heights":
    "RealEstate10K, w2c 3x4 in assi OpenCV (+x destra, +y giù, +z avanti), obiettivo in larghezze e altezze",
    "Blender script, camera to world in OpenGL axes (+x right, +y up, -z forward), the world with +z up": "script di "
    "Blender, da videocamera a mondo in assi OpenGL (+x destra, +y su, -z avanti), il mondo con +z in su",
    # places in a file
    "Mirage Studio trajectory": "traiettoria di Mirage Studio",
    "Mirage Studio editable path": "percorso di Mirage Studio",
    "COLMAP text": "testo di COLMAP",
    "The size in line * of cameras.txt": "La dimensione alla riga * di cameras.txt",
    "Line * of *": "La riga * di *",
    "Frame *": "Il fotogramma *",
    "Key *": "Il punto *",
    "* degrees": "* gradi",
    "* seconds": "* secondi",
    "The path": "Il percorso",
    "* and *.txt": "* e *.txt",
    "Add a key.": "Aggiungi un punto.",
    "Remove keys, or draw the way as a stroke.": "Togli dei punti, o disegna il percorso in un tratto.",
}  # fmt: skip


def _pattern(english: str) -> re.Pattern:
    return re.compile("(.*?)".join(map(re.escape, english.split("*"))), re.DOTALL)


# the most particular first
_CATALOGUE = [
    (_pattern(english), SENTENCES[english])
    for english in sorted(SENTENCES, key=lambda text: -len(text.replace("*", "")))
]
_FILE = re.compile(r"([\w.-]+\.(?:json|txt|py)): (.+)", re.DOTALL)


def reason(language: str, sentence: str) -> str:
    """An English sentence of `pipelines.cameras` as the visitor reads it; what the catalogue lacks stays English."""
    if language != "it" or len(sentence) > 600:
        return sentence
    if found := _FILE.fullmatch(sentence):
        return f"{found[1]}: {reason(language, found[2])}"
    for pattern, italian in _CATALOGUE:
        if found := pattern.fullmatch(sentence):
            return italian.replace("*", "{}").format(*(reason(language, part) for part in found.groups()))
    return sentence
