"""Video bokeh: disparity -> focus -> circle of confusion and MPI regions -> rendered frames.

Pure torch; nothing here imports a host application.
"""
