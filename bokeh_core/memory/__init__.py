"""How much memory each step needs, and how to recognise that it ran out."""
