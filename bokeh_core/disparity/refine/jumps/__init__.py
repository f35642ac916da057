"""Outlines that jump from frame to frame, and come to rest: what is in front of them is followed."""
