"""Of files that are no cameras, or cameras that are not read: what they seem to be, and what to do."""

SENTENCES = {
    "{file} seems to be {kind}, which is not read. {fix}": "{file} sembra {kind}: non si legge. {fix}",
    # what to do
    "Export the camera from the program that it is from as transforms.json (nerfstudio) or COLMAP; in Blender an "
    "add-on such as BlenderNeRF does.": (
        "Esporta la videocamera dal suo programma come transforms.json (nerfstudio) o COLMAP; in Blender lo fa un "
        "componente come BlenderNeRF."
    ),
    "Unpack it and choose the file with the cameras that is inside; of Record3D that is metadata.json.": (
        "Estrailo e scegli il file di videocamere che contiene; per Record3D è metadata.json."
    ),
    "Find its cameras with COLMAP or nerfstudio (ns-process-data) and choose the file that they write.": (
        "Trova le sue videocamere con COLMAP o nerfstudio (ns-process-data) e scegli il file che scrivono."
    ),
    "Choose the file of the cameras that belongs to it.": "Scegli il file di videocamere che gli appartiene.",
    "It can run code when it is opened. Save the poses with numpy.save as poses.npy.": (
        "Aprirlo può eseguire codice. Salva le pose con numpy.save come poses.npy."
    ),
    "Save the poses as TUM, one line of time tx ty tz qx qy qz qw a camera; the tool evo converts.": (
        "Salva le pose come TUM, una riga di tempo tx ty tz qx qy qz qw per videocamera; lo strumento evo converte."
    ),
    "Choose one of the files in docs/formats.md.": "Scegli uno dei file in docs/formats.md.",
    # what it seems to be
    "a scene of FBX": "una scena FBX",
    "a scene of Alembic": "una scena Alembic",
    "a file of HDF5 (an old Alembic, or arrays)": "un file HDF5 (un vecchio Alembic, o array)",
    "a scene of USD": "una scena USD",
    "a scene of glTF": "una scena glTF",
    "a file of Blender": "un file di Blender",
    "a scene of Maya": "una scena di Maya",
    "the motion of a body (BVH), which has no camera": "il movimento di un corpo (BVH), che non ha videocamera",
    "keyframes of After Effects": "fotogrammi chiave di After Effects",
    "a project of After Effects": "un progetto di After Effects",
    "a cloud of points or splats (PLY)": "una nuvola di punti o splat (PLY)",
    "an archive (ZIP, USDZ, r3d, npz, weights)": "un archivio (ZIP, USDZ, r3d, npz, pesi)",
    "an archive (GZIP)": "un archivio (GZIP)",
    "an archive (7z)": "un archivio (7z)",
    "an archive (RAR)": "un archivio (RAR)",
    "an archive (TAR)": "un archivio (TAR)",
    "a picture": "un'immagine",
    "a video": "un video",
    "a file of MATLAB": "un file di MATLAB",
    "a document (PDF)": "un documento (PDF)",
    "a program of Windows": "un programma di Windows",
    "a program of Linux": "un programma di Linux",
    "a database (of COLMAP, for example)": "una banca dati (di COLMAP, per esempio)",
    "a scene of COLLADA": "una scena COLLADA",
    "cameras of Metashape": "le videocamere di Metashape",
    "a timeline of Final Cut": "una sequenza di Final Cut",
    "a web page": "una pagina web",
    "a file of XML": "un file XML",
    "a script of Nuke": "uno script di Nuke",
    "a camera track of Nuke (chan)": "il movimento di una videocamera di Nuke (chan)",
    "poses of EuRoC (CSV)": "pose di EuRoC (CSV)",
    "a pointer of Git LFS, not the file itself": "un puntatore di Git LFS, non il file stesso",
    "matrices over several lines (Redwood, ScanNet)": "matrici su più righe (Redwood, ScanNet)",
    "poses without times (TartanAir, or rotations as angles)": "pose senza tempi (TartanAir, o rotazioni in angoli)",
    "poses of KITTI-360": "pose di KITTI-360",
    "one 4x4 matrix a line, of which nothing says which way it goes": (
        "una matrice 4x4 per riga, di cui nulla dice il verso"
    ),
    "poses of EuRoC or LLFF": "pose di EuRoC o LLFF",
    "a scene of OpenMVG": "una scena di OpenMVG",
    "a scene of Meshroom": "una scena di Meshroom",
    "one camera of Polycam": "una sola videocamera di Polycam",
    "a reconstruction of OpenSfM": "una ricostruzione di OpenSfM",
    "a pickle of Python": "un pickle di Python",
}
