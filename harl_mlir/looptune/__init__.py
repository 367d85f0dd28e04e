"""An agent that walks through loop nests with a policy learned beforehand (LoopTune, arXiv 2309.01825)."""
