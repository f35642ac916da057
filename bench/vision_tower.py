"""CLIP ViT-H/14's vision tower with projection: the shapes of the image encoder, for counting and timing."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLIP_SIDE_PX = 224


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.norm1(x)
        q, k, v = (
            project(tokens).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for project in (self.q, self.k, self.v)
        )
        x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class VisionTower(nn.Module):
    """A pre-norm transformer over patches and a class token, projected; the defaults are ViT-H/14's."""

    def __init__(
        self, width: int = 1280, layers: int = 32, heads: int = 16, projection: int = 1024, patch_px: int = 14
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch_px, stride=patch_px, bias=False)
        self.first = nn.Parameter(torch.zeros(width))
        self.position = nn.Embedding((CLIP_SIDE_PX // patch_px) ** 2 + 1, width)
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.layers = nn.Sequential(*(_Layer(width, heads) for _ in range(layers)))
        self.projection = nn.Linear(width, projection, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """[N, 3, 224, 224] in [0, 1] -> [N, projection], in the dtype of the weights."""
        tokens = self.patches(images.to(self.first.dtype)).flatten(2).transpose(1, 2)
        tokens = torch.cat((self.first.expand(len(images), 1, -1), tokens), dim=1) + self.position.weight
        return self.projection(self.norm_out(self.layers(self.norm_in(tokens))[:, 0]))
