"""A blind A/B test as in the paper's user study (App. B): a page for raters, and a tally of their answers.

`python -m bokeh_lab.blind_test make` writes the page, `python -m bokeh_lab.blind_test tally` counts.
"""
