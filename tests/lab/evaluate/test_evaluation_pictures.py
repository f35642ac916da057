"""The plot of docs/evaluation.md is that of its tables."""

from devtools.evaluation_pictures import PAGE, rows_of

TABLES = """# Evaluation

## Given image and disparity
| renderer | PSNR, dB \u2191 | PSNR near edges, dB \u2191 | SSIM \u2191 |
|---|---:|---:|---:|
| Gather | 40.08 | 32.67 | 0.985 |
| Lens Blur | **48.50** | 42.29 | **0.996** |

## Given the layers
| renderer | PSNR, dB \u2191 | PSNR near edges, dB \u2191 | SSIM \u2191 |
|---|---:|---:|---:|
| Ground truth itself | \u221e | \u221e | 1.000 |
| Ray tracing, another grid | 80.99 | 79.22 | 1.000 |

## Linear light
| Lens Blur | 44.76 | 38.37 | 0.995 |
"""


def test_each_row_with_a_number_is_drawn():
    rows = [(row.title, row.given_layers, dict(row.values)) for row in rows_of(TABLES)]
    assert rows == [
        ("Gather", False, {"psnr": 40.08, "edge_psnr": 32.67}),
        ("Lens Blur", False, {"psnr": 48.5, "edge_psnr": 42.29}),
        ("Ray tracing, another grid", True, {"psnr": 80.99, "edge_psnr": 79.22}),
    ]


def test_the_page_has_both_tables():
    rows = rows_of(PAGE.read_text(encoding="utf-8"))
    assert len(rows) >= 14
    assert {row.given_layers for row in rows} == {False, True}
