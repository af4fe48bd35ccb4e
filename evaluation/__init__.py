"""From a run and a benchmark to numbers that say how far to trust the run's answers."""
