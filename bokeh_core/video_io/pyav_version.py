"""The version of PyAV, for features that cannot be tested for directly."""


def pyav_major() -> int:
    """First number of the version: 18 for 18.1.0."""
    import av  # imported on first use: the pack must load fast

    return int(av.__version__.split(".")[0])
