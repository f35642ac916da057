"""What dev.py is made of: the environment, a real host, and its HTTP API. Standard library only."""
