"""What all parts of a clip agree on: its length, its masks, the channels of its pictures."""
