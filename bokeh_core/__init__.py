"""Video bokeh: disparity -> focus -> circle of confusion and MPI regions -> latents -> windows -> frames.

Pure torch; nothing here imports a host application or the laboratory.

    disparity/    depth of any origin -> disparity maps        coc         Eq. 1, circle of confusion
    focus/        focal disparity of every frame               mpi         Eq. 2, focal-plane MPI regions
    schedule/     texts -> one number a frame                  models/     Eq. 3 and Fig. 2, U-Net and VAE
    strength      blur strength K                              semantics   what the image encoder is shown
    clip/         lengths, masks, channels of a clip           windows     Eq. 5, overlapping windows
    preview       the focus in colours                         pipeline/   all of it in order
    lens/         the renderer without weights                 memory/     what each step takes
    video_io/     video in and out                             checkpoint/ weights -> models
    render/       videos of any length, file to file           convert     published weights -> single files
    disk/         the user's files                             console     the standard streams
    published     facts of the published inference         reference_width  px at 1024 -> px of a frame
    progress      what long work tells its caller
"""
