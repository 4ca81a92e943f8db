"""How far we are from the released code, on tests/fixtures: python tests/parity.py

Weights go through `transformer_from_released`, latents through the engine's own chunk step and the scheduler of a
converted folder. The figures are the largest absolute differences, in float32; latents and flows have a standard
deviation of about 1.
"""

import json
import sys
from functools import cache
from pathlib import Path

import torch
from safetensors import safe_open

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipelines.large.denoising import ChunkInputs, denoise_chunk, scheduler_of  # noqa: E402
from pipelines.large.families import LAYOUTS  # noqa: E402
from pipelines.large.released import transformer_from_released  # noqa: E402

FIXTURES = Path(__file__).parent / "fixtures"


@cache
def fixture(name):
    """Tensors of a fixture by kind ("dit", "vace", "lora", "in", "out", "denoise"), and its configuration."""
    parts = {}
    with safe_open(FIXTURES / f"{name}_layout_tiny.safetensors", "pt") as file:
        for key in file.keys():
            kind, rest = key.split(".", 1)
            parts.setdefault(kind, {})[rest] = file.get_tensor(key)
        config = json.loads(file.metadata()["config"])
    if "lora" in parts:  # the LoRA is part of the weights as stored
        parts["dit"] = dict(parts["dit"])
        for key, down in parts["lora"].items():
            if key.endswith("lora_A.weight"):
                up = parts["lora"][key.replace("lora_A", "lora_B")]
                name = key.removeprefix("pipe.dit.").replace("lora_A.weight", "weight")
                parts["dit"][name] = parts["dit"][name] - up @ down
    return parts, config


def scheduler(layout="spatia"):
    """That of a converted folder."""
    return scheduler_of(LAYOUTS[layout])


def finished(steps):
    """What a generator of steps returns."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def difference(ours, theirs):
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max())


@torch.no_grad()
def lsm_world():
    parts, config = fixture("released")
    model = transformer_from_released(parts["dit"], parts["vace"], config=config)
    given, out, run, layout = parts["in"], parts["out"], parts["denoise"], LAYOUTS["lsm-world"]
    sequence = torch.cat([given["reference"], given["target"], given["preceding"]], dim=2)
    times, text, control = given["timesteps"][None], given["text"], given["control"][None]
    inputs = ChunkInputs(
        noise=run["noise"],
        text=text,
        clean=run["first"],
        references=given["reference"],
        preceding=given["preceding"],
        control=control,
    )
    assert layout.shift == config["shift"]
    steps = denoise_chunk(model, scheduler(layout.name), inputs, 6, max_sigma=layout.max_sigma)
    alone = given["target"], times[:, 2:7], text
    return {
        "forward": difference(model(sequence, times, text, control, num_reference_frames=2).sample, out["flow_full"]),
        "forward of targets": difference(model(*alone, control[:, :, :5]).sample, out["flow_target_only"]),
        "forward without control": difference(model(*alone).sample, out["flow_no_control"]),
        "six steps": difference(finished(steps), run["latents"]),
    }


@torch.no_grad()
def spatia():
    parts, config = fixture("spatia")
    model = transformer_from_released(parts["dit"], parts["vace"], parts["lora"], config=config)
    given, out, layout = parts["in"], parts["out"], LAYOUTS["spatia"]
    text, negative, control = given["text"], given["negative_text"], given["control"][None]
    first = ChunkInputs(given["noise"], text, negative, clean=given["first"], control=control)
    later = ChunkInputs(
        given["noise"], text, negative, clean=given["history"], references=given["reference"], control=control
    )
    assert (layout.shift, layout.guidance_scale) == (config["shift"], config["guidance_scale"])
    differences = {}
    for chunk, (inputs, name) in enumerate(((first, "first_round"), (later, "later_round"))):
        model.enable_lora() if chunk >= layout.lora_from_chunk else model.disable_lora()
        sampler = scheduler(layout.name)
        steps = denoise_chunk(model, sampler, inputs, 6, layout.guidance_scale, max_sigma=layout.max_sigma)
        differences[f"six guided steps, {name}"] = difference(finished(steps), out[name])
    sequence = torch.cat([given["reference"], given["history"], given["noise"][:, :, 3:]], dim=2)
    flow = model(sequence, given["flow_timesteps"][None], text, control, num_reference_frames=2).sample
    return {"forward": difference(flow, out["flow_later"]), **differences}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({"lsm-world": lsm_world(), "spatia": spatia()}))
