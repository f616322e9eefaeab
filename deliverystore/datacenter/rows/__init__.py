"""How cells become values, and rows become changes."""
