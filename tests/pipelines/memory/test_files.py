"""A saved memory holds everything, and what is no memory is refused."""

import errno
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save
from tiny_memories import box_depth, camera, tokens

from pipelines.memory import LatentMemory, files
from pipelines.memory.projection import unproject


def saved_parts(path):
    """The tensors of a saved memory, on their own, and its header."""
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name).clone() for name in file.keys()}, dict(file.metadata())


def test_save_and_load_hold_everything(tmp_path):
    memory = LatentMemory(3, interpolates=True, codec="0123456789ab")
    memory.write(tokens(), box_depth(), camera())
    memory.write(tokens(seed=1), torch.full((12, 16), 5.0), camera(x=2.0))
    memory.write(tokens(seed=2), box_depth(), camera())
    memory.write(tokens(seed=3), torch.full((12, 16), 5.0), camera(x=6.0), invented=True)
    memory.save(tmp_path / "scene.safetensors")
    again = LatentMemory.load(tmp_path / "scene.safetensors")
    target = camera(x=1.0, z=0.3)
    assert torch.equal(memory.readout(target, 24, 32).latents, again.readout(target, 24, 32).latents)
    assert (again.num_points, again.nbytes) == (memory.num_points, memory.nbytes)
    parts, header = saved_parts(tmp_path / "scene.safetensors")
    cameras = ("K", "c2w", "sizes", "invented")
    assert sum(part.nbytes for name, part in parts.items() if name not in cameras) == memory.nbytes
    assert (again.codec, again.interpolates, again.dtype) == ("0123456789ab", True, torch.float16)
    assert torch.equal(memory.features, again.features) and memory.samples.confidence.max() > 1
    for one, other in zip(memory.views, again.views, strict=True):
        assert one.camera == other.camera and one.invented == other.invented
        assert all(torch.equal(getattr(one, n), getattr(other, n)) for n in ("depth", "token_at", "confidence"))
    assert [file.name for file in tmp_path.iterdir()] == ["scene.safetensors"]
    rows = torch.arange(len(memory.features), dtype=torch.int32)
    (tmp_path / "scene.safetensors").write_bytes(save({**parts, "token_rows": rows}, header | {"version": "1"}))
    assert torch.equal(LatentMemory.load(tmp_path / "scene.safetensors").features, memory.features)


def test_ply_holds_every_sample_at_its_place(tmp_path):
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera(x=0.5))
    colors = torch.arange(12 * 16 * 3).reshape(-1, 3).to(torch.uint8)
    memory.to_ply(tmp_path / "scene.ply", colors)
    header, body = (tmp_path / "scene.ply").read_bytes().split(b"end_header\n", 1)
    assert b"element vertex 192" in header
    rows = np.frombuffer(body, [("xyz", "<f4", 3), ("rgb", "u1", 3)])
    assert np.allclose(rows["xyz"], unproject(box_depth(), camera(x=0.5)).reshape(-1, 3))
    assert np.array_equal(rows["rgb"], colors.numpy())
    for wrong in (colors[1:], colors / 255):
        with pytest.raises(ValueError, match="one row per point"):
            memory.to_ply(tmp_path / "scene.ply", wrong)


def test_a_loaded_memory_outlives_its_file_and_a_failed_save_leaves_the_old_one(tmp_path, monkeypatch):
    memory, path = LatentMemory(3), tmp_path / "scene.safetensors"
    memory.write(tokens(), box_depth(), camera())
    memory.save(path)
    loaded, size = LatentMemory.load(path), path.stat().st_size
    path.write_bytes(bytes(size))  # in place, as a copy over it does
    assert torch.equal(loaded.features, memory.features)
    memory.save(path)
    before = path.read_bytes()

    def full(file, data):
        with open(file, "wb") as half:
            half.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    for write in (memory.save, memory.to_ply):
        with pytest.raises(OSError, match="could not be written .*Free some disk space"):
            write(path)
    monkeypatch.undo()
    for nowhere in (path / "below a file", tmp_path / "no folder" / "a", tmp_path):
        with pytest.raises(OSError, match="could not be written .*Choose another place"):
            memory.save(nowhere)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def changed(index, value):
    def change(tensor):
        tensor.reshape(-1)[index] = value
        return tensor

    return change


SPOILED = [
    *(
        (name, changed(0, value))
        for name in ("sample_depth", "features", "K", "c2w")
        for value in (torch.nan, torch.inf)
    ),
    *(("sample_depth", changed(0, value)) for value in (0.0, -1.0, 1e38)),
    *((n, changed(0, value)) for n in ("sample_cells", "token_cells") for value in (-1, -7, 1, 10**6)),
    *((name, lambda tensor: tensor[:-1]) for name in ("features", "sample_cells", "token_cells", "K")),
    *((name, lambda tensor: tensor[:1]) for name in ("sample_depth", "sample_confidence", "invented", "sizes")),
    *((name, lambda tensor: tensor.double()) for name in ("sample_depth", "sample_confidence", "sizes")),
    *((name, lambda tensor: tensor.flip(0)) for name in ("sample_cells", "token_cells")),
    *((name, lambda tensor: tensor.flatten()) for name in ("features", "K", "sizes")),
    *(("sizes", changed(0, value)) for value in (-12, 0, 6, 13, 10**9, 2**62)),
    *(("sizes", changed(2, value)) for value in (-12, 0, 5, 13)),
    ("features", lambda tensor: tensor.long()),
    ("features", lambda tensor: tensor[:, :0]),
    ("c2w", changed(0, 2.0)),
    ("K", changed(0, -3.0)),
]


def test_a_memory_that_was_tampered_with_is_refused_by_name(tmp_path):
    memory, path = LatentMemory(3), tmp_path / "scene.safetensors"
    for x in (0.0, 2.0):
        memory.write(tokens(), box_depth(), camera(x=x))
    memory.save(path)
    parts, header = saved_parts(path)
    for name, change in SPOILED:
        path.write_bytes(save({**parts, name: change(parts[name].clone()).contiguous()}, metadata=header))
        with pytest.raises(ValueError, match="scene.safetensors is damaged or incomplete"):
            LatentMemory.load(path)
    for name in parts:
        path.write_bytes(save({other: parts[other] for other in parts if other != name}, metadata=header))
        with pytest.raises(ValueError, match="scene.safetensors is damaged or incomplete"):
            LatentMemory.load(path)
    for wrong in ({"version": "one"}, {"codec": "{"}):
        path.write_bytes(save(parts, metadata=header | wrong))
        with pytest.raises(ValueError, match="scene.safetensors is damaged or incomplete"):
            LatentMemory.load(path)
    memory.save(path)
    data = path.read_bytes()
    for length in {0, 7, 8, 9, *range(10, len(data), 331), len(data) - 1}:
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match="scene.safetensors is damaged or incomplete"):
            LatentMemory.load(path)


def test_what_could_not_be_loaded_is_not_saved(tmp_path, monkeypatch):
    memory, path = LatentMemory(3), tmp_path / "scene.safetensors"
    memory.write(tokens(), box_depth(), camera())
    cells = memory.views[0].depth.numel()
    monkeypatch.setattr(files, "MAX_CELLS", cells)
    memory.save(path)
    assert LatentMemory.load(path).num_points == memory.num_points
    monkeypatch.setattr(files, "MAX_CELLS", cells - 1)
    with pytest.raises(ValueError, match=f"{cells} cells, at most {cells - 1} can be saved. Crop it"):
        memory.save(tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=f"damaged or incomplete .*{cells} cells"):
        LatentMemory.load(path)
    assert [file.name for file in tmp_path.iterdir()] == ["scene.safetensors"]


def test_files_that_are_no_memory_are_refused(tmp_path, monkeypatch):
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera())
    path = tmp_path / "scene.safetensors"
    memory.save(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="damaged or incomplete"):
        LatentMemory.load(path)
    monkeypatch.setattr(files, "VERSION", files.VERSION + 1)
    memory.save(path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=f"format version {files.VERSION + 1}; this program reads up to"):
        LatentMemory.load(path)
    path.write_bytes(save({"a": torch.zeros(1)}))
    with pytest.raises(ValueError, match="not a saved memory"):
        LatentMemory.load(path)
    with pytest.raises(ValueError, match="is a folder. Give the file"):
        LatentMemory.load(tmp_path)
