"""The disk of the user: typed paths, files written whole or not at all, locks, room, errors."""
