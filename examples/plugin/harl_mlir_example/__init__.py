"""An example plug-in of harl_mlir; see its pyproject.toml."""
