"""People, vehicles, animals and sky, found by OneFormer (Jain et al., CVPR 2023, arXiv 2211.06220) trained on ADE20K.

The checkpoint comes from the Hub on first use (203 MB, MIT licence): as safetensors, which its authors' branch has not,
so from the Hub's own conversion of it, at a fixed commit. Pictures are prepared here
rather than by transformers' OneFormerProcessor, whose constructor fetches a list of class names, needed for training
only, from the present state of a second repository. And the model is OneFormerModel, whose outputs are those of
OneFormerForUniversalSegmentation, because the latter builds its training loss and so needs scipy.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.errors import Refused
from pipelines.masks import Expected, check_inputs
from pipelines.weights.cache import COMMIT as COMMIT_NAME
from pipelines.weights.errors import misfits, unreadable
from pipelines.weights.hub import local_folder
from pipelines.weights.licences import UNKNOWN

REPOSITORY = "shi-labs/oneformer_ade20k_swin_tiny"
REVISION, COMMIT = "refs/pr/6", "961aa59"  # a proposal that was never merged, and how its one commit begins
LICENCE = {"licence": "MIT", "commercial_use": "yes"}  # of its card
# ADE20K classes that do not stay where they are, or have no surface, by any of their names.
PEOPLE, ANIMALS, SKY = ("person",), ("animal",), ("sky",)
VEHICLES = ("car", "bus", "truck", "van", "plane", "airplane", "boat", "ship", "minibike", "bicycle")
LEFT_OUT = (*PEOPLE, *VEHICLES, *ANIMALS, *SKY)
# Sides of the network's input, as in training, and the colours it was trained with (ImageNet's).
SHORT_SIDE, LONG_SIDE = 512, 2048
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MARGIN = 1 / 128  # of the long side: outlines are soft, and a rim of what moves would stay behind as a ghost


class OneFormerMask:
    """A Mask that reads the picture alone.

    model: a OneFormerModel; its config names the classes. task: (1, task_seq_len) token ids of "the task is semantic".
    leave_out: names of classes; any name that a class goes by will do. Raises ValueError for one that it does not know.
    weights: what is in use, for the licence card.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        task: Tensor,
        leave_out: tuple[str, ...] = LEFT_OUT,
        weights: tuple[dict[str, Any], ...] = (),
    ):
        self.model, self.task, self.weights = model.eval(), task, weights
        self.classes = classes_named(leave_out, model.config.id2label)

    @classmethod
    def from_pretrained(
        cls,
        folder_or_repository: str | Path = REPOSITORY,
        revision: str | None = None,
        leave_out: tuple[str, ...] = LEFT_OUT,
        device: str = "cpu",
    ) -> "OneFormerMask":
        """Load from the Hub, its local cache or a folder. revision: that of REPOSITORY is fixed unless given here.

        Raises Refused where the weights cannot be had, are damaged or pickled.
        """
        from safetensors import SafetensorError
        from transformers import AutoTokenizer, OneFormerModel

        fixed = revision is None and str(folder_or_repository) == REPOSITORY
        revision = REVISION if fixed else revision
        try:
            folder = local_folder(folder_or_repository, **({"revision": revision} if revision else {}))
        except (ValueError, OSError) as error:
            raise Refused(
                "OneFormer could not be loaded: {reason} pipelines.masks.StaticMask needs no download.",
                reason=getattr(error, "sentence", str(error)),
            ) from error
        if fixed and not folder.name.startswith(COMMIT):
            raise Refused(
                "{revision} of {name} has changed to {commit}. Name a revision to trust.",
                revision=REVISION,
                name=REPOSITORY,
                commit=folder.name,
            )
        if not list(folder.glob("*.safetensors")):
            raise Refused(
                "{path} is no safetensors file, index or folder. Give one; other formats may run code.", path=folder
            )
        tokenizer = AutoTokenizer.from_pretrained(folder)
        try:
            model, report = OneFormerModel.from_pretrained(
                folder, is_training=False, use_safetensors=True, output_loading_info=True
            )
        except SafetensorError as error:
            raise unreadable(folder, error) from error
        if wrong := sorted(map(str, {*report["missing_keys"], *report["mismatched_keys"]})):
            raise Refused(
                "The weights in {folder} do not fit. {wrong}. Fetch or convert them again.",
                folder=folder,
                wrong=misfits(missing=wrong),
            )
        card = {"name": str(folder_or_repository)}
        if COMMIT_NAME.fullmatch(folder.name):
            card["revision"] = folder.name
        card |= LICENCE if str(folder_or_repository) == REPOSITORY else UNKNOWN
        return cls(model.to(device), task_tokens(tokenizer, model.config.task_seq_len), leave_out, (card,))

    def to(self, device: str | torch.device) -> "OneFormerMask":
        self.model.to(device)
        return self

    @torch.inference_mode()
    def __call__(
        self, image: np.ndarray, depth: np.ndarray | None = None, expected: Expected | None = None
    ) -> np.ndarray:
        """See `Mask`; depth and expected are not used."""
        check_inputs(image)
        device = self.model.device
        output = self.model(pixel_values=prepared(image).to(device), task_inputs=self.task.to(device))
        scores = class_scores(
            output.transformer_decoder_class_predictions[0].float(),
            output.transformer_decoder_mask_predictions[0].float(),
        )
        return keep_without(self.classes, scores.cpu(), *image.shape[:2])


def classes_named(names: tuple[str, ...], id2label: dict[int, str]) -> list[int]:
    """Ids of the classes with these names. A label lists several, as in "minibike, motorbike"."""
    ids = [i for i, label in id2label.items() if {part.strip() for part in label.split(",")} & set(names)]
    known = {part.strip() for i in ids for part in id2label[i].split(",")}
    # Checkpoints call it plane or airplane; one of them is enough.
    missing = set(names) - known - ({"plane", "airplane"} if known & {"plane", "airplane"} else set())
    if missing:
        raise Refused(
            "This model has no class {missing}; it knows {known}. Give an ADE20K checkpoint, or other names in "
            "leave_out.",
            missing=", ".join(sorted(missing)),
            known=", ".join(sorted(id2label.values())),
        )
    return sorted(ids)


def task_tokens(tokenizer, length: int) -> Tensor:
    """(1, length) token ids that ask for semantic classes; 0 where padded, as OneFormer was trained."""
    tokens = tokenizer(
        "the task is semantic", padding="max_length", max_length=length, truncation=True, return_tensors="pt"
    )
    return tokens["input_ids"] * tokens["attention_mask"]


def prepared(image: np.ndarray) -> Tensor:
    """image (H, W, 3) uint8 -> (1, 3, h, w) as the network wants it: short side 512, ImageNet colours."""
    height, width = image.shape[:2]
    shorter, longer = sorted((height, width))
    short = min(SHORT_SIDE, LONG_SIDE * shorter / longer)
    sides = max(1, round(short)), int(short * longer / shorter)
    size = sides if height <= width else sides[::-1]
    picture = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255
    picture = F.interpolate(picture, size, mode="bilinear", antialias=True, align_corners=False)
    return (picture - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def class_scores(class_logits: Tensor, mask_logits: Tensor) -> Tensor:
    """Queries to classes: (Q, C + 1) and (Q, h, w) -> (C, h, w), the last class being "nothing"."""
    return torch.einsum("qc,qhw->chw", class_logits.softmax(-1)[:, :-1], mask_logits.sigmoid())


def keep_without(classes: list[int], scores: Tensor, height: int, width: int) -> np.ndarray:
    """scores (C, h, w) -> (height, width) bool: False where one of `classes` scores highest, and a margin around."""
    leave_out = torch.zeros(len(scores), dtype=torch.bool)
    leave_out[classes] = True
    # How much more likely: one map to enlarge instead of one per class, with the same outline to a fraction of a cell.
    lead = scores[leave_out].amax(dim=0) - scores[~leave_out].amax(dim=0)
    found = F.interpolate(lead[None, None], (height, width), mode="bilinear", align_corners=False) > 0
    margin = max(1, round(max(height, width) * MARGIN))
    return ~(F.max_pool2d(found.float(), 2 * margin + 1, 1, margin)[0, 0] > 0).numpy()
