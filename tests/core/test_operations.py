"""Operations of an output frame at full size, counted on the meta device: exact, nothing is timed."""

import pytest

from bench import operations

# As published with the golden numbers, 1e12 operations an output frame at 1024 x 576.
PUBLISHED = {"CLIP": 0.669181, "VAE encode": 10.436473, "U-Net": 13.247286, "VAE decode": 7.015446}
PUBLISHED_TOTAL = 31.368386
# Parameters of the published files.
PARAMETERS = (1_876_296_074, 98_234_367, 632_076_800)


@pytest.fixture(scope="module")
def network():
    return operations.full_size_network()


def in_1e12(counts, start):
    return sum(count for name, count in counts.items() if name.startswith(start)) / 1e12


def test_the_network_is_the_published_one(network):
    assert network.num_parameters == PARAMETERS


def test_published_order_of_work_counts_as_published(network):
    counts = operations.published_counts(network)
    for part, expected in PUBLISHED.items():
        assert in_1e12(counts, part) == pytest.approx(expected, abs=1e-6), part
    assert operations.total(counts) / 1e12 == pytest.approx(PUBLISHED_TOTAL, abs=1e-6)


def test_ours_is_within_the_budget(network):
    counts = operations.our_counts(network)
    assert operations.total(counts) <= 21.4e12
    # Each frame once instead of twice.
    for part in ("CLIP", "VAE encode"):
        assert in_1e12(counts, part) == pytest.approx(PUBLISHED[part] / 2, abs=1e-6)
    # The skip at full resolution is made again: 3 x 3 taps from 3 to 128 channels at 589,824 pixels.
    again = 2 * 9 * 3 * 128 * 576 * 1024 / 1e12
    assert in_1e12(counts, "VAE decode") == pytest.approx(PUBLISHED["VAE decode"] + again, abs=1e-6)


def test_masked_keys_cost_nothing_in_paper_mode(network):
    masked, all_keys, visible, none = operations.paper_mode_counts(network).values()
    assert none < visible < all_keys < masked
    # The published order of work costs as much in either mode.
    assert masked / 1e12 == pytest.approx(PUBLISHED["U-Net"], abs=1e-6)
