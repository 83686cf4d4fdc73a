"""What a declared call costs beside the same call written by hand: `python -m benchmarks`."""
