"""The page that names, for every picture of a set, its author, its source and its licence."""

from collections import defaultdict
from collections.abc import Sequence

from .library import Asset
from .picture_packages import PACKAGES

_LICENCE_TEXTS = {
    "CC0-1.0": "Creative Commons Zero 1.0, <https://creativecommons.org/publicdomain/zero/1.0/>",
    "CC-BY-2.0": "Creative Commons Attribution 2.0, <https://creativecommons.org/licenses/by/2.0/>",
    "CC-BY-4.0": "Creative Commons Attribution 4.0, <https://creativecommons.org/licenses/by/4.0/>",
    "MIT": "MIT licence, below",
    "LicenseRef-public-domain": "released into the public domain, as the package states",
}

_MIT = """\
## MIT licence of Fluent Emoji
Copyright (c) Microsoft Corporation.
Copyright (c) 2023 LobeHub.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR
THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def credits_page(assets: Sequence[Asset]) -> str:
    """Markdown: the packages and what they say about rights, then author and licence of every picture."""
    by_author: dict[tuple[str, str, str], list[Asset]] = defaultdict(list)
    for asset in assets:
        by_author[asset.package, asset.author, asset.licence].append(asset)
    lines = [
        "# Pictures for synthetic scenes",
        "",
        "Made by `python -m bokeh_lab.scenes.fetch`; `manifest.json` has the source and the SHA-256 of each",
        "file. Photographs were cropped, reduced in size and encoded as WebP. Each file keeps the licence of",
        "its picture; none is under the licence of the code.",
        "",
        "| from | author | licence | files |",
        "|---|---|---|---|",
    ]
    for (package, author, licence), group in sorted(by_author.items()):
        pictures = sorted({asset.source.rsplit("/", 1)[-1] for asset in group})
        named = ", ".join(f"`{picture}`" for picture in pictures) if len(pictures) <= 8 else "cut-outs"
        text = _LICENCE_TEXTS[licence]
        lines.append(f"| {package} {group[0].version} | {author} | {text} | {len(group)}: {named} |")
    lines += ["", "## What the packages say"]
    used = {asset.package for asset in assets}
    lines += [
        f"- {package.name} {package.version}: {package.terms}" for package in PACKAGES if package.name in used
    ]
    if any(asset.licence == "MIT" for asset in assets):
        lines += ["", _MIT.rstrip()]
    return "\n".join(lines) + "\n"
