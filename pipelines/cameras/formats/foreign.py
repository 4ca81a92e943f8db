"""Files that are not read, recognised by their first bytes, and what to do with each."""

from pipelines.errors import Refused, Sentence

FROM_3D = Sentence(
    "Export the camera from the program that it is from as transforms.json (nerfstudio) or COLMAP; in Blender an "
    "add-on such as BlenderNeRF does."
)
UNPACK = Sentence("Unpack it and choose the file with the cameras that is inside; of Record3D that is metadata.json.")
TRACK = Sentence("Find its cameras with COLMAP or nerfstudio (ns-process-data) and choose the file that they write.")
NO_CAMERAS = Sentence("Choose the file of the cameras that belongs to it.")
SAVE_ARRAY = Sentence("It can run code when it is opened. Save the poses with numpy.save as poses.npy.")
WITH_TIMES = Sentence("Save the poses as TUM, one line of time tx ty tz qx qy qz qw a camera; the tool evo converts.")
CHOOSE = Sentence("Choose one of the files in docs/formats.md.")

# offset, first bytes, what it is, what to do
SIGNS = (
    (0, b"Kaydara FBX Binary", Sentence("a scene of FBX"), FROM_3D),
    (0, b"; FBX ", Sentence("a scene of FBX"), FROM_3D),
    (0, b"Ogawa", Sentence("a scene of Alembic"), FROM_3D),
    (0, b"\x89HDF\r\n\x1a\n", Sentence("a file of HDF5 (an old Alembic, or arrays)"), FROM_3D),
    (0, b"PXR-USDC", Sentence("a scene of USD"), FROM_3D),
    (0, b"#usda ", Sentence("a scene of USD"), FROM_3D),
    (0, b"glTF", Sentence("a scene of glTF"), FROM_3D),
    (0, b"BLENDER", Sentence("a file of Blender"), FROM_3D),
    (0, b"//Maya ASCII", Sentence("a scene of Maya"), FROM_3D),
    (0, b"FOR4", Sentence("a scene of Maya"), FROM_3D),
    (0, b"FOR8", Sentence("a scene of Maya"), FROM_3D),
    (0, b"HIERARCHY", Sentence("the motion of a body (BVH), which has no camera"), NO_CAMERAS),
    (0, b"Adobe After Effects", Sentence("keyframes of After Effects"), FROM_3D),
    (0, b"RIFX", Sentence("a project of After Effects"), FROM_3D),
    (0, b"ply\n", Sentence("a cloud of points or splats (PLY)"), NO_CAMERAS),
    (0, b"ply\r\n", Sentence("a cloud of points or splats (PLY)"), NO_CAMERAS),
    (0, b"PK\x03\x04", Sentence("an archive (ZIP, USDZ, r3d, npz, weights)"), UNPACK),
    (0, b"\x1f\x8b", Sentence("an archive (GZIP)"), UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", Sentence("an archive (7z)"), UNPACK),
    (0, b"Rar!", Sentence("an archive (RAR)"), UNPACK),
    (257, b"ustar", Sentence("an archive (TAR)"), UNPACK),
    (4, b"ftypavif", Sentence("a picture"), NO_CAMERAS),
    (4, b"ftypheic", Sentence("a picture"), NO_CAMERAS),
    (4, b"ftypmif1", Sentence("a picture"), NO_CAMERAS),
    (4, b"ftyp", Sentence("a video"), TRACK),
    (4, b"moov", Sentence("a video"), TRACK),
    (0, b"\x1aE\xdf\xa3", Sentence("a video"), TRACK),
    (8, b"AVI ", Sentence("a video"), TRACK),
    (8, b"WEBP", Sentence("a picture"), NO_CAMERAS),
    (0, b"\xff\xd8\xff", Sentence("a picture"), NO_CAMERAS),
    (0, b"\x89PNG", Sentence("a picture"), NO_CAMERAS),
    (0, b"GIF8", Sentence("a picture"), NO_CAMERAS),
    (0, b"II*\0", Sentence("a picture"), NO_CAMERAS),
    (0, b"MM\0*", Sentence("a picture"), NO_CAMERAS),
    (0, b"v/1\x01", Sentence("a picture"), NO_CAMERAS),
    (0, b"MATLAB", Sentence("a file of MATLAB"), WITH_TIMES),
    (0, b"%PDF", Sentence("a document (PDF)"), CHOOSE),
    (0, b"MZ", Sentence("a program of Windows"), CHOOSE),
    (0, b"\x7fELF", Sentence("a program of Linux"), CHOOSE),
    (0, b"SQLite format 3", Sentence("a database (of COLMAP, for example)"), TRACK),
    *((0, bytes([0x80, version]), Sentence("a pickle of Python"), SAVE_ARRAY) for version in (2, 3, 4, 5)),
)
# What text contains near its beginning
WORDS = (
    ("<collada", Sentence("a scene of COLLADA"), FROM_3D),
    ("<chunk", Sentence("cameras of Metashape"), FROM_3D),
    ("<fcpxml", Sentence("a timeline of Final Cut"), FROM_3D),
    ("<html", Sentence("a web page"), CHOOSE),
    ("<?xml", Sentence("a file of XML"), FROM_3D),
    ("set cut_paste_input", Sentence("a script of Nuke"), FROM_3D),
    ("p_rs_r_x", Sentence("poses of EuRoC (CSV)"), WITH_TIMES),
    ("version https://git-lfs", Sentence("a pointer of Git LFS, not the file itself"), CHOOSE),
)
ENDINGS = {".chan": (Sentence("a camera track of Nuke (chan)"), FROM_3D)}  # where numbers alone do not tell
# What a line of numbers means that is not read, by how many there are
COLUMNS = {
    4: (Sentence("matrices over several lines (Redwood, ScanNet)"), WITH_TIMES),
    7: (Sentence("poses without times (TartanAir, or rotations as angles)"), WITH_TIMES),
    13: (Sentence("poses of KITTI-360"), WITH_TIMES),
    16: (Sentence("one 4x4 matrix a line, of which nothing says which way it goes"), WITH_TIMES),
    17: (Sentence("poses of EuRoC or LLFF"), WITH_TIMES),
}
# Keys of JSON
KEYS = (
    ("asset", Sentence("a scene of glTF"), FROM_3D),
    ("sfm_data_version", Sentence("a scene of OpenMVG"), FROM_3D),
    ("views", Sentence("a scene of Meshroom"), FROM_3D),
    ("t_00", Sentence("one camera of Polycam"), TRACK),
    ("shots", Sentence("a reconstruction of OpenSfM"), FROM_3D),
)


def refuse_binary(file: str, head: bytes) -> None:
    """Raises ValueError that names what a file seems to be by its first bytes; does nothing for others."""
    for offset, sign, kind, fix in SIGNS:
        if head[offset : offset + len(sign)] == sign:
            raise _seems(file, kind, fix)


def refuse_text(file: str, text: str) -> None:
    """The same for text."""
    for ending, (kind, fix) in ENDINGS.items():
        if file.lower().endswith(ending):
            raise _seems(file, kind, fix)
    beginning = text[:2000].lower()
    for word, kind, fix in WORDS:
        if word in beginning:
            raise _seems(file, kind, fix)


def refuse_columns(file: str, count: int) -> None:
    """The same for lines of `count` numbers."""
    if count in COLUMNS:
        raise _seems(file, *COLUMNS[count])


def refuse_keys(file: str, data) -> None:
    """The same for JSON."""
    for key, kind, fix in KEYS:
        if isinstance(data, dict) and key in data:
            raise _seems(file, kind, fix)


def _seems(file: str, kind: Sentence, fix: Sentence) -> Refused:
    return Refused("{file} seems to be {kind}, which is not read. {fix}", file=file, kind=kind, fix=fix)
