"""How large a depth map may be: checked from a file's header, before anything is decoded."""

# 16384 x 8192: a panorama of 16K. One map takes 512 MiB as float32.
MAX_MAP_PIXELS = 2**27
# What a clip in memory may have in all: 16 GiB as float32, 2071 frames of 1920 x 1080.
MAX_HELD_PIXELS = 2**32
# No depth gets so much smaller; what does is constant, or made to fill the memory.
_MOST_PACKING, _PACKING_MATTERS_FROM = 200, 2**28


def require_map_size(width: int, height: int, name: str) -> None:
    """Check the size of one map.

    Raises:
        ValueError: no pixels, or more than `MAX_MAP_PIXELS`.
    """
    if width < 1 or height < 1:
        raise ValueError(f"{name} is {width} x {height} px by its header, which is damaged; write it again.")
    if width * height > MAX_MAP_PIXELS:
        raise ValueError(
            f"{name} is {width} x {height} px by its header; a depth map may have {MAX_MAP_PIXELS} pixels "
            "(16384 x 8192). Save it smaller, or write it again if it is damaged."
        )


def require_held_size(count: int, width: int, height: int, name: str) -> None:
    """Check the size of a clip that will be held in memory as a whole.

    Raises:
        ValueError: more than `MAX_HELD_PIXELS`.
    """
    if count * width * height > MAX_HELD_PIXELS:
        raise ValueError(
            f"{name} has {count} or more maps of {width} x {height} px, over {MAX_HELD_PIXELS} pixels in "
            "all, too many to be in memory. Any-to-Bokeh Video and the command line read maps one by one."
        )


def require_plausible_packing(unpacked: int, packed: int, name: str) -> None:
    """Check that a file of that many bytes may unpack to so many.

    Raises:
        ValueError: it is far more than depth can be compressed.
    """
    if unpacked > _PACKING_MATTERS_FROM and unpacked > _MOST_PACKING * packed:
        raise ValueError(
            f"{name} unpacks {packed} bytes to {unpacked}, which no depth does; write it again, without "
            "compression if it is right."
        )
