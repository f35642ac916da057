"""What small models may do otherwise than the published one: options that are all off by default."""
