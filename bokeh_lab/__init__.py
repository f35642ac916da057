"""The laboratory: scenes, ray-traced truth, peers, metrics, evaluation, blind test, training.

It imports the product, is never imported by it, and is not in the package that users install.
"""
