"""From linalg ops to tasks: loop-nest facts, fusion groups, workload keys."""
