"""How a child is run: what it may read and write, and whether it has a network. Starts none itself."""
