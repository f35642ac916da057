"""Compare renderers on synthetic clips with ray-traced ground truth: python -m bokeh_lab.evaluate."""
