"""How the pixels of one frame move to another."""
