"""What made the shipped weights, one trainer per part; docs/training.md. Its pictures come from pipelines.synthetic."""
