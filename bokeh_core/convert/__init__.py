"""Published weights -> single files that carry their config."""
