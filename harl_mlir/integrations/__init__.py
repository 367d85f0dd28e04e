"""Ways into other compilers and frameworks."""
