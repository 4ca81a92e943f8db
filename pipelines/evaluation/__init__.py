"""What a model is worth, in figures: suites over generated rooms, RGB-D sequences and photos; docs/evaluation.md."""
