"""How a candidate becomes a transform-dialect script; the schedule library and its application."""
