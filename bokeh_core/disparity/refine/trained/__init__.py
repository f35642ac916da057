"""What of its surroundings each pixel of a map should have, as a network was trained to tell."""
