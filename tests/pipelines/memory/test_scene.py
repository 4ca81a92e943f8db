"""A scene on disk."""

import pytest
from tiny_memories import box_depth, camera, tokens

from pipelines.memory import LatentMemory
from pipelines.memory.scene import Scene


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version": 1', '"version": 2', "version 2 is not known; update the program"),
        ('"distance": 2.5', '"distance": NaN', "distance=nan must be positive"),
        ('"distance": 2.5', f'"distance": 1{"0" * 400}', "int too large"),
        ('"distance": 2.5', '"distance": null', "NoneType"),
        ('"height": 12', '"height": "12"', "height='12' must be a whole number"),
        ('"format": "mirage-scene"', '"form": 1', "'format'"),
        ("}", "", "delimiter"),
    ],
)
def test_the_index_of_a_scene_is_checked(tmp_path, old, new, message):
    memory = LatentMemory(3)
    memory.write(tokens(), box_depth(), camera())
    Scene(memory, camera(), 2.5).save(tmp_path)
    assert Scene.load(tmp_path).distance == 2.5
    index = tmp_path / "scene.json"
    assert old in index.read_text()
    index.write_text(index.read_text().replace(old, new))
    with pytest.raises(ValueError, match=f"scene.json cannot be read: .*{message}.*Render the scene again"):
        Scene.load(tmp_path)
