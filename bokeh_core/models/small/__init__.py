"""Ways in which small models may differ from the published one: options, all off by default."""
