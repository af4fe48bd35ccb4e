"""The engine: from a dataset folder to a run folder with checkpoints, curves, a model and its card."""
