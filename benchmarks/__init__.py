"""Speed, as ratios of contenders timed in turns; never part of the tests."""
