import numpy as np
import pytest
from fake_pipeline import FakePipeline
from PIL import Image
from visit import PHOTO_ID, PHOTO_SIZE

from studio.session import Session
from studio.settings import Opened
from studio.workbench import Workbench


@pytest.fixture
def session(tmp_path, monkeypatch):
    """A visit with a photo."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    session = Session()
    y, x = np.mgrid[: PHOTO_SIZE[0], : PHOTO_SIZE[1]]
    session.set_photo(Image.fromarray(np.stack([x % 256, y, x // 2], -1).astype(np.uint8)), None)
    session.photo_id = PHOTO_ID
    yield session
    session.close()


@pytest.fixture
def pipe():
    return FakePipeline()


@pytest.fixture
def workbench(pipe):
    return Workbench(load=lambda: Opened(pipe))
