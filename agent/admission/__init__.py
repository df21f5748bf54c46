"""How much one person or key may have in flight and stored, and whose turn it is. Knows nothing of roles and rights."""
