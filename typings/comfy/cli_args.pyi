class Arguments:
    disable_metadata: bool

args: Arguments
