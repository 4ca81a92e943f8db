"""What the model is compared with, in the same run: each file leaves out one part of the method. No torch here."""

BASELINES = ("none", "rgb", "append", "smooth")
