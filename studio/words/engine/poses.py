"""Of files of poses: TUM, KITTI, MotionCtrl, ReCamMaster, Record3D, Kubric, LingBot-World; and of resampling."""

SENTENCES = {
    "TUM, c2w as position and quaternion in OpenCV axes (+x right, +y down, +z forward)": (
        "TUM, c2w come posizione e quaternione in assi OpenCV (+x a destra, +y in giù, +z avanti)"
    ),
    "KITTI, c2w 3x4 in OpenCV axes (+x right, +y down, +z forward)": (
        "KITTI, c2w 3x4 in assi OpenCV (+x a destra, +y in giù, +z avanti)"
    ),
    "MotionCtrl, w2c 3x4 in OpenCV axes (+x right, +y down, +z forward)": (
        "MotionCtrl, w2c 3x4 in assi OpenCV (+x a destra, +y in giù, +z avanti)"
    ),
    "ReCamMaster, c2w of Unreal Engine (+x forward, +y right, +z up) in centimetres": (
        "ReCamMaster, c2w di Unreal Engine (+x avanti, +y a destra, +z in su) in centimetri"
    ),
    "Record3D, c2w as quaternion and position in OpenGL axes (+x right, +y up, -z forward)": (
        "Record3D, c2w come quaternione e posizione in assi OpenGL (+x a destra, +y in su, -z avanti)"
    ),
    "Kubric, c2w as position and quaternion in OpenGL axes (+x right, +y up, -z forward)": (
        "Kubric, c2w come posizione e quaternione in assi OpenGL (+x a destra, +y in su, -z avanti)"
    ),
    "LingBot-World arrays, c2w in OpenCV axes (+x right, +y down, +z forward)": (
        "array di LingBot-World, c2w in assi OpenCV (+x a destra, +y in giù, +z avanti)"
    ),
    "Camera {number}": "La videocamera {number}",
    "Pose {number}": "La posa {number}",
    "Lens {number}": "L'obiettivo {number}",
    "{place} must be 12 numbers ({convention}). Fix or drop it.": (
        "{place} deve avere 12 numeri ({convention}). Correggi o togli."
    ),
    "{place} must be a matrix of 16 numbers ({convention}). Export it again.": (
        "{place} deve essere una matrice di 16 numeri ({convention}). Esporta di nuovo."
    ),
    "{place} holds no camera ({convention}). Export it again.": (
        "{place} non contiene videocamere ({convention}). Esporta di nuovo."
    ),
    "The file holds {count} cameras: {first} is read, {others:.60} are not. For one of those keep only it in every "
    "frame.": (
        "Il file contiene {count} videocamere: si legge {first}, non {others:.60}. Per una di queste tieni solo quella "
        "in ogni fotogramma."
    ),
    "The list of poses is empty ({convention}). Record it again.": (
        "L'elenco delle pose è vuoto ({convention}). Registra di nuovo."
    ),
    "The camera must have as many positions as quaternions, focal_length and sensor_width ({convention}). Export it "
    "again.": (
        "La videocamera deve avere tante posizioni quanti quaternioni, focal_length e sensor_width ({convention}). "
        "Esporta di nuovo."
    ),
    "The array has the shape {shape}, must be (frames, 4, 4) ({convention}). Save the poses of the cameras alone.": (
        "L'array ha forma {shape}, ma deve essere (frames, 4, 4) ({convention}). Salva solo le pose delle videocamere."
    ),
    "{file} has the shape {shape}, must be ({frames}, 4): fx, fy, cx, cy ({convention}). Save it again.": (
        "{file} ha forma {shape}, ma deve essere ({frames}, 4): fx, fy, cx, cy ({convention}). Salva di nuovo."
    ),
    "{file} is no array of numpy, or is cut short. Save it again.": (
        "{file} non è un array di numpy, o è troncato. Salva di nuovo."
    ),
    "{file} holds {kind!r:.40}, must be numbers; Python objects (pickle) can run code and are never read. Save the "
    "poses with numpy.save as an array of floats.": (
        "{file} contiene {kind!r:.40}, ma servono numeri; gli oggetti di Python (pickle) possono eseguire codice e non "
        "si leggono mai. Salva le pose con numpy.save come array di float."
    ),
    # resampling
    "resample={frames!r:.40} must be a whole number of frames from {low} to {high}. Use 97.": (
        "resample={frames!r:.40} deve essere un numero intero di fotogrammi da {low} a {high}. Usa 97."
    ),
    "Unknown pace {pace!r:.40}. Choose from {allowed}.": "Il passo {pace!r:.40} non esiste. Scegli tra {allowed}.",
}
