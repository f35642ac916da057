"""What each step takes of the memory, and how to tell that it ran out."""
