"""What the views of a memory show, decoded by the large model's autoencoder."""

from diffusers import AutoencoderKLWan
from diffusers.utils.torch_utils import get_module_execution_device
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from pipelines.inpainting.smooth import smooth_fill
from pipelines.large.video import VideoDecoder, to_video
from pipelines.memory import LatentMemory, Readout


class DecodedViews:
    """What the views of memories show, each decoded once."""

    def __init__(self, vae: AutoencoderKLWan):
        self.vae = vae
        # Its key is the view's depth: the same tensor while no token of it goes, whereas the view itself is another
        # with every vote.
        self._pictures: WeakIdKeyDictionary = WeakIdKeyDictionary()

    def picture(self, memory: LatentMemory, index: int) -> Tensor:
        """What view `index` of a memory shows: (3, H, W) in [-1, 1]."""
        view = memory.views[index]
        if view.depth not in self._pictures:
            tokens, stored = memory.tokens_of(index)
            frame = VideoDecoder(self.vae)(smooth_fill(tokens, stored)[:, None])
            self._pictures[view.depth] = to_video(frame)[:, 0]
        return self._pictures[view.depth]

    def shown_in(self, readout: Readout) -> dict[int, Tensor]:
        """Pictures of the views that a readout shows: index -> (3, H, W) in [-1, 1], on the autoencoder's device."""
        device = get_module_execution_device(self.vae)
        shown = readout.view[readout.mask].unique().tolist()
        return {index: self.picture(readout.memory, index).to(device) for index in shown}
