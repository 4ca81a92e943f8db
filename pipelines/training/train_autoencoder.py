"""Train the embedded autoencoder: fine tokens first, the coarse RGB-D latents on top of them.

    python -m pipelines.training.train_autoencoder --shards DIR... [--pictures DIR...] --out RUN --minutes M

Shards are the npz files of pipelines.synthetic.scenes, pictures are folders of jpg or png files. A run can be stopped
at any time and started again with the same --out: it goes on where its last checkpoint was. RUN/autoencoder and
RUN/coarse_autoencoder hold the exported moving average of the weights in half precision, RUN/sheet.png the pictures
beside what comes back.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

from pipelines.process import prepare_process


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=Path, nargs="*", default=[], help="folders of scene shards (npz)")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="folders of jpg or png pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--minutes", type=float, required=True, help="training time of each stage")
    parser.add_argument("--stage", choices=("fine", "coarse", "both"), default="both")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    prepare_process()

    import torch

    from pipelines.training.autoencoder_pairs import load_pictures, load_shards
    from pipelines.training.autoencoder_run import save_sheet, train_coarse, train_fine

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    random.seed(args.seed)
    pictures = load_pictures(args.pictures) + load_shards(args.shards)
    if not pictures:
        parser.error("no training pictures: give --pictures with jpg or png files, or --shards with npz files")
    rng = random.Random(args.seed)
    if args.stage in ("fine", "both"):
        train_fine(pictures, args.out, args.minutes, args.batch_size, rng)
    if args.stage in ("coarse", "both"):
        train_coarse(pictures, args.out, args.minutes, args.batch_size, rng)
        save_sheet(pictures, args.out)


if __name__ == "__main__":
    main()
