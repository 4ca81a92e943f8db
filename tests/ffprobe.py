"""What another program reads in a clip: ffprobe of Debian's ffmpeg, and the order of an mp4's boxes."""

import json
import struct
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any


def probe(file: Path) -> dict[str, Any]:
    """The first video stream and the container as ffprobe tells them: {stream, format, packets}."""
    sections = ["-show_streams", "-show_format", "-show_packets", "-select_streams", "v:0"]
    command = ["ffprobe", "-v", "error", "-of", "json", *sections, str(file)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {"stream": told["streams"][0], "format": told["format"], "packets": told["packets"]}


def check_platforms_take(file: Path, seconds: float, rate: int, height: int, width: int) -> None:
    """Assert what ad platforms ask of an H.264 mp4: see docs/files.md."""
    told = probe(file)
    stream, packets = told["stream"], told["packets"]
    assert (stream["codec_name"], stream["profile"], stream["pix_fmt"]) == ("h264", "High", "yuv420p")
    assert (stream["width"], stream["height"]) == (width, height)
    assert stream.get("sample_aspect_ratio", "1:1") in ("1:1", "N/A") and stream.get("field_order") == "progressive"
    tags = [stream.get(name) for name in ("color_space", "color_primaries", "color_transfer", "color_range")]
    assert tags == ["bt709", "bt709", "bt709", "tv"]
    assert stream["r_frame_rate"] == stream["avg_frame_rate"] == f"{rate}/1" and len(packets) == round(seconds * rate)
    assert abs(float(stream["duration"]) - seconds) < 0.001 and abs(float(told["format"]["duration"]) - seconds) < 0.001
    assert float(stream["start_time"]) == float(told["format"]["start_time"]) == 0

    ticks = Fraction(stream["time_base"])
    shown = sorted(packet["pts"] * ticks for packet in packets)
    assert shown == [Fraction(index, rate) for index in range(len(packets))]  # a constant rate, from the first on
    keys = [float(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]
    assert keys[0] == 0 and max(b - a for a, b in zip(keys, [*keys[1:], seconds], strict=True)) <= 2

    boxes = boxes_of(file.read_bytes())
    assert [name for name, _ in boxes if name in ("moov", "mdat")] == ["moov", "mdat"]
    assert "elst" not in dict(inner_boxes(dict(boxes)["moov"]))


def boxes_of(data: bytes) -> list[tuple[str, bytes]]:
    """(name, content) of the boxes that follow each other in `data` (ISO 14496-12, 4.2)."""
    boxes, at = [], 0
    while at + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        boxes.append((name.decode("latin-1"), data[at + 8 : at + size]))
        at += size
    return boxes


def inner_boxes(moov: bytes) -> list[tuple[str, bytes]]:
    """(name, content) of every box inside a moov box, at any depth that holds boxes."""
    found = boxes_of(moov)
    for name, content in found.copy():
        if name in ("trak", "mdia", "minf", "stbl", "edts"):
            found += inner_boxes(content)
    return found
