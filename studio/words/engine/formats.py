"""Of files of cameras, in the formats of other tools."""

SENTENCES = {
    # files
    "{path} does not exist. Give a file with cameras, or a folder.": (
        "{path} non esiste. Indica un file di videocamere, o una cartella."
    ),
    "{path} holds no cameras: no transforms.json, no cameras.txt with images.txt (or .bin, there or in sparse/0), no "
    "w2c.txt with intrinsics.txt and no poses.npy. Give the folder that does.": (
        "{path} non contiene videocamere: né transforms.json, né cameras.txt con images.txt (o .bin, lì o in "
        "sparse/0), né w2c.txt con intrinsics.txt, né poses.npy. Scegli insieme i file di un formato."
    ),
    "{file} is none of the files that are read: JSON, lines of numbers (RealEstate10K, TUM, KITTI), COLMAP, arrays of "
    "numpy, a Blender script of ours. Give a file of docs/formats.md, or a folder.": (
        "{file} non è tra i file che si leggono: JSON, righe di numeri (RealEstate10K, TUM, KITTI), COLMAP, array di "
        "numpy, uno script di Blender scritto qui. Scegli un file di un formato conosciuto (docs/formats.md)."
    ),
    "These cameras tell no lens ({convention}). Give it with --lens, in mm of full frame, or --fov, in degrees across "
    "the long side of the picture, and the size of the picture with --size.": (
        "Queste videocamere non dicono l'obiettivo ({convention}). Indicalo con --lens, in mm del formato pieno, o con "
        "--fov, in gradi lungo il lato maggiore dell'immagine, e la dimensione dell'immagine con --size."
    ),
    "The file tells no lens: one of {degrees:.0f} degrees across the long side is used ({mm:.0f} mm of full frame).": (
        "Il file non dice l'obiettivo: se ne usa uno di {degrees:.0f} gradi lungo il lato maggiore ({mm:.0f} mm del "
        "formato pieno)."
    ),
    "These cameras tell no size of their pictures ({convention}). Give it with --size.": (
        "Queste videocamere non dicono la dimensione delle immagini ({convention}). Indicala con --size."
    ),
    "The file has no lines, at least 1 camera is needed. Export the cameras again.": (
        "Il file non ha righe, ma serve almeno 1 videocamera. Esporta di nuovo le videocamere."
    ),
    "{file} is empty. Export the cameras again.": "{file} è vuoto. Esporta di nuovo le videocamere.",
    "{file} is not JSON ({reason:.80}). Save it again.": "{file} non è JSON ({reason:.80}). Salvalo di nuovo.",
    "{file} has neither c2w (a trajectory), keys (an editable path), frames or camera_path (nerfstudio) nor the poses "
    "of Record3D, Kubric, ReCamMaster or MotionCtrl. See docs/formats.md.": (
        "{file} non ha né c2w (una traiettoria), né keys (un percorso), né frames o camera_path (nerfstudio), né le "
        "pose di Record3D, Kubric, ReCamMaster o MotionCtrl. Vedi docs/formats.md."
    ),
    "{file} is over {limit} bytes, the limit. Cut the path.": (
        "{file} supera il limite di {limit} byte. Taglia il percorso."
    ),
    "{file} cannot be opened ({reason}). Check it.": "{file} non si può aprire ({reason}). Controllalo.",
    "{file} is no text in UTF-8. Give a file of docs/formats.md.": (
        "{file} non è un testo in UTF-8. Scegli un file di un formato conosciuto (docs/formats.md)."
    ),
    "--size {height}x{width} has another shape than the cameras ({own_height}x{own_width}). Use a size of that "
    "shape.": (
        "Le proporzioni {height}x{width} non sono quelle delle videocamere ({own_height}x{own_width}). Usa una "
        "dimensione con le stesse proporzioni."
    ),
    "Unknown format {name!r:.40}. Choose from {allowed}.": "Il formato {name!r:.40} non esiste. Scegli tra {allowed}.",
    "Unknown correction {kind!r:.40}. Choose from {allowed}.": (
        "La correzione {kind!r:.40} non esiste. Scegli tra {allowed}."
    ),
    "The folder {folder} does not exist. Make it first.": "La cartella {folder} non esiste. Prima creala.",
    # conventions
    "Mirage Studio trajectory, c2w in OpenCV axes (+x right, +y down, +z forward)": (
        "traiettoria di Mirage Studio, c2w in assi OpenCV (+x a destra, +y in giù, +z avanti)"
    ),
    "Mirage Studio editable path, c2w in OpenCV axes (+x right, +y down, +z forward)": (
        "percorso di Mirage Studio, c2w in assi OpenCV (+x a destra, +y in giù, +z avanti)"
    ),
    "COLMAP text, w2c in OpenCV axes (+x right, +y down, +z forward)": (
        "testo di COLMAP, w2c in assi OpenCV (+x a destra, +y in giù, +z avanti)"
    ),
    "nerfstudio, c2w in OpenGL axes (+x right, +y up, -z forward)": (
        "nerfstudio, c2w in assi OpenGL (+x a destra, +y in su, -z avanti)"
    ),
    "Spatia, w2c in OpenCV axes (+x right, +y down, +z forward), intrinsics in widths and heights": (
        "Spatia, w2c in assi OpenCV (+x a destra, +y in giù, +z avanti), obiettivo in larghezze e altezze"
    ),
    "RealEstate10K, w2c 3x4 in OpenCV axes (+x right, +y down, +z forward), intrinsics in widths and heights": (
        "RealEstate10K, w2c 3x4 in assi OpenCV (+x a destra, +y in giù, +z avanti), obiettivo in larghezze e altezze"
    ),
    "Blender script, camera to world in OpenGL axes (+x right, +y up, -z forward), the world with +z up": (
        "script di Blender, da videocamera a mondo in assi OpenGL (+x a destra, +y in su, -z avanti), il mondo con "
        "+z in su"
    ),
    # places in a file
    "Line {number} of {file}": "La riga {number} di {file}",
    "Line {number}": "La riga {number}",
    "Frame {index}": "Il fotogramma {index}",
    "Frame {index} ({file!r:.60})": "Il fotogramma {index} ({file!r:.60})",
    "{key} of {place}": "{place}: {key}",
    "The size in line {number} of {file}": "La dimensione alla riga {number} di {file}",
    "{first} and {second}": "{first} e {second}",
    "{place}, read as {convention}: {reason}": "{place}, letto come {convention}: {reason}",
    # what stands there
    "{place} has {count} words, must be {columns}. Fix it.": (
        "{place} ha {count} parole, ma deve essere {columns}. Correggila."
    ),
    "{place} has {got} numbers where {count} belong. Export the model again.": (
        "{place} ha {got} numeri, ma ne servono {count}. Esporta di nuovo il modello."
    ),
    "{place} holds {words!r:.80}, must be {count} finite numbers. Fix or drop it.": (
        "{place} contiene {words!r:.80}, ma servono {count} numeri finiti. Correggi o togli."
    ),
    "{name} is {value!r:.40}, must be a whole number of pixels. Fix it.": (
        "{name} è {value!r:.40}, ma deve essere un numero intero di pixel. Correggi."
    ),
    "{place} has a quaternion of length {length:.4g}, must be 1 within {limit:g}. Check the order {order}.": (
        "{place} ha un quaternione lungo {length:.4g}, ma deve essere 1 entro {limit:g}. Controlla l'ordine {order}."
    ),
    "w2c has shape {shape}, must be (3, 4) or (4, 4).": "w2c ha forma {shape}, ma deve essere (3, 4) o (4, 4).",
    "w2c holds NaN or infinity, must be finite. Fix or drop that pose.": (
        "w2c contiene NaN o infinito, ma i numeri devono essere finiti. Correggi o togli quella posa."
    ),
    "w2c has the last row {row}, must be [0, 0, 0, 1]. Transpose the matrix.": (
        "L'ultima riga di w2c è {row}, ma deve essere [0, 0, 0, 1]. Trasponi la matrice."
    ),
    # COLMAP
    "{files} missing ({convention}). Export with colmap model_converter, type TXT.": (
        "Manca {files} ({convention}). Esporta con colmap model_converter, tipo TXT, e scegli insieme i file."
    ),
    "{place} has the model {model:.30}, only {allowed} are read. Undistort the pictures with colmap "
    "image_undistorter first.": (
        "{place} ha il modello {model:.30}, ma si legge solo {allowed}. Prima togli la distorsione dalle immagini "
        "con colmap image_undistorter."
    ),
    "{place} must list 2D points in threes or be empty; it has {count} words. Put an empty line after every image.": (
        "{place} deve elencare punti 2D a tre a tre o essere vuota, ma ha {count} parole. Metti una riga vuota "
        "dopo ogni immagine."
    ),
    "{place} names the camera {camera:.30}, which cameras.txt does not have. Add it.": (
        "{place} nomina la videocamera {camera:.30}, che in cameras.txt non c'è. Aggiungila."
    ),
    "images.txt lists no image, at least 1 is needed. Export the model again.": (
        "images.txt non elenca immagini, ma ne serve almeno 1. Esporta di nuovo il modello."
    ),
    # nerfstudio
    "There is no list of frames, which a transforms.json has ({convention}). Give that file.": (
        "Manca l'elenco dei fotogrammi, che un transforms.json contiene ({convention}). Scegli quel file."
    ),
    "The list of frames is empty, at least 1 camera is needed. Export the cameras again.": (
        "L'elenco dei fotogrammi è vuoto, ma serve almeno 1 videocamera. Esporta di nuovo le videocamere."
    ),
    "{place} lacks {fields}, here or at the top of the file. Add them.": (
        "{place} non ha {fields}, né qui né in cima al file. Aggiungi."
    ),
    "{place} has camera_angle_x={angle!r:.40}, must be a number from 0.01 to 3.13 radians. Fix it.": (
        "{place}: camera_angle_x={angle!r:.40}, ma deve essere un numero da 0.01 a 3.13 radianti. Correggi."
    ),
    "nerfstudio, lens model {model}": "nerfstudio, modello di obiettivo {model}",
    # a path of nerfstudio's viewer
    "nerfstudio camera path, c2w in OpenGL axes (+x right, +y up, -z forward), fov across the height": (
        "percorso di nerfstudio, c2w in assi OpenGL (+x a destra, +y in su, -z avanti), fov lungo l'altezza"
    ),
    "The camera path": "Il percorso",
    "There is no list camera_path of at least 1 camera ({convention}). Generate the path in the viewer again.": (
        "Manca l'elenco camera_path con almeno 1 videocamera ({convention}). Genera di nuovo il percorso nel viewer."
    ),
    "{place} has no camera_to_world of 16 numbers ({convention}). Generate the path in the viewer again.": (
        "{place} non ha camera_to_world con 16 numeri ({convention}). Genera di nuovo il percorso nel viewer."
    ),
    "{place} has fov={angle!r:.40}, must be a number from 1 to 179 degrees. Fix it.": (
        "{place}: fov={angle!r:.40}, ma deve essere un numero da 1 a 179 gradi. Correggi."
    ),
    "{count} of {cameras} cameras are not rigid (the worst, camera {number}, is off by {error:.2g}): the nearest "
    "rotation is used.": (
        "Videocamere non rigide: {count} su {cameras} (la peggiore, la {number}, è fuori di {error:.2g}). Si usa la "
        "rotazione più vicina."
    ),
    # lenses that are no pinholes
    "{place} has the lens model {model:.40}, which is none of {allowed} and no fisheye or panorama. Export the "
    "cameras as PINHOLE.": (
        "{place} ha il modello di obiettivo {model:.40}, che non è {allowed} e nemmeno un fisheye o un panorama. "
        "Esporta le videocamere come PINHOLE."
    ),
    "The pictures are panoramas (lens model {model}), which a clip is not: the way of the cameras is read, looking at "
    "the middle of each panorama, with another lens.": (
        "Le immagini sono panorami (modello di obiettivo {model}), un video no: del file si legge il percorso, che "
        "guarda il centro di ogni panorama, con un altro obiettivo."
    ),
    "The pictures are of a fisheye (lens model {model}), which a clip is not: the way of the cameras is read, with a "
    "straight lens of the same focal length.": (
        "Le immagini sono di un fisheye (modello di obiettivo {model}), un video no: del file si legge il percorso, "
        "con un obiettivo rettilineo della stessa focale."
    ),
    "Lens distortion is left out ({distortion:.80}): the way of the cameras and the pinhole part of the lens are "
    "read.": (
        "La distorsione dell'obiettivo è tralasciata ({distortion:.80}): si leggono il percorso e la parte senza "
        "distorsione."
    ),
    # COLMAP, binary
    "COLMAP binary, w2c in OpenCV axes (+x right, +y down, +z forward)": (
        "COLMAP binario, w2c in assi OpenCV (+x a destra, +y in giù, +z avanti)"
    ),
    "{files} missing ({convention}). Give both files, or their folder.": (
        "Manca {files} ({convention}). Scegli insieme i due file."
    ),
    "images.bin lists {count} images, must be 1..{limit}. Export fewer, or another file.": (
        "images.bin elenca {count} immagini, ma devono essere 1..{limit}. Esportane meno, o un altro file."
    ),
    "Image {number} of {file}": "L'immagine {number} di {file}",
    "Camera {number} of {file}": "La videocamera {number} di {file}",
    "{place} names the camera {camera}, which cameras.bin does not have. Export the model again.": (
        "{place} nomina la videocamera {camera}, che in cameras.bin non c'è. Esporta di nuovo il modello."
    ),
    "{place} holds NaN or infinity, must be finite. Fix or drop that pose.": (
        "{place} contiene NaN o infinito, ma i numeri devono essere finiti. Correggi o togli quella posa."
    ),
    "{file} is no binary file of COLMAP, or is cut short. Export the model again.": (
        "{file} non è un file binario di COLMAP, o è troncato. Esporta di nuovo il modello."
    ),
    # RealEstate10K
    "timestamp fx fy cx cy 0 0 and 12 numbers of w2c": "timestamp fx fy cx cy 0 0 e 12 numeri di w2c",
    "There is no line of {columns} ({convention}). Give a RealEstate10K file.": (
        "Non c'è nessuna riga di {columns} ({convention}). Scegli un file RealEstate10K."
    ),
    # Spatia
    "{files} missing ({convention}). Give the folder that holds both.": (
        "Manca {files} ({convention}). Scegli insieme i due file."
    ),
    "w2c.txt has {cameras} cameras and intrinsics.txt {lines} lines, must be one line, or one per camera, and at "
    "least one camera. Export the pair again.": (
        "w2c.txt ha {cameras} videocamere e intrinsics.txt {lines} righe, ma serve almeno una videocamera, e una "
        "riga sola o una per videocamera. Esporta di nuovo i due file."
    ),
    "{place} is no JSON matrix ({convention}). Write one 3x4 or 4x4 per line.": (
        "{place} non è una matrice JSON ({convention}). Scrivine una 3x4 o 4x4 per riga."
    ),
    "Frame {index} has another lens than frame 0 ({own:.4g} and {first:.4g} widths); the Spatia pair holds one "
    "lens for all. Keep one field of view, or export RealEstate10K.": (
        "Il fotogramma {index} ha un altro obiettivo rispetto al primo ({own:.4g} e {first:.4g} larghezze), ma "
        "Spatia ne tiene uno solo per tutti. Tieni un solo angolo di campo, o salva per RealEstate10K."
    ),
    # Blender
    "The script has no line {line!r} ({convention}). Only scripts written here are read.": (
        "Allo script manca la riga {line!r} ({convention}). Si leggono solo gli script scritti qui."
    ),
    "The line PATH of the script is not JSON. Export the path again.": (
        "La riga PATH dello script non è JSON. Esporta di nuovo il percorso."
    ),
    "The script has no frames, at least 1 is needed. Export the path again.": (
        "Lo script non ha fotogrammi, ma ne serve almeno 1. Esporta di nuovo il percorso."
    ),
    "The numbers of the script cannot be read ({error:.80}). Export the path again.": (
        "I numeri dello script non si leggono ({error:.80}). Esporta di nuovo il percorso."
    ),
    "Frame {index} has fx={fx:.6g} and fy={fy:.6g} pixels, must be equal for Blender. Resize the path to the shape "
    "it was made for.": (
        "Il fotogramma {index} ha fx={fx:.6g} e fy={fy:.6g} pixel, ma per Blender devono essere uguali. Riporta il "
        "percorso alle proporzioni per cui è nato."
    ),
}
