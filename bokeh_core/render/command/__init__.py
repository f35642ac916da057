"""The parts of the command line `python -m bokeh_core.render`."""
