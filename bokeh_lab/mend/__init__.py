"""Trains the network of Refine Depth that mends outlines and limbs."""
