"""How true to the photo a clip's colours are."""

import numpy as np

from pipelines.memory import Readout


def colour_change(frame: np.ndarray, photo: np.ndarray, readout: Readout, view: int) -> float:
    """Mean colour of what a frame shows of the photo, against the photo there, in 1/255: the largest channel.

    frame (h, w, 3), photo (H, W, 3) uint8. readout: of the frame, the last of those it holds; view: the photo's in the
    memory that was read. 0.0 where the frame shows nothing of it.
    """
    stride = frame.shape[0] // readout.view.shape[1]
    if stride > 1:  # a coarse readout: the mean colour of every cell
        frame = frame.reshape(-1, stride, frame.shape[1] // stride, stride, 3).mean(axis=(1, 3))
    step = max(1, frame.shape[1] // 128)
    from_photo = (readout.view[-1] == view)[::step, ::step].numpy()
    if not from_photo.any():
        return 0.0
    xy = readout.xy[-1][::step, ::step].numpy()[from_photo]
    rows = (xy[:, 1] * photo.shape[0]).astype(int).clip(0, photo.shape[0] - 1)
    columns = (xy[:, 0] * photo.shape[1]).astype(int).clip(0, photo.shape[1] - 1)
    shown, there = frame[::step, ::step][from_photo].astype(float), photo[rows, columns].astype(float)
    return float(np.abs(shown.mean(axis=0) - there.mean(axis=0)).max())
