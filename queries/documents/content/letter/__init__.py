"""What a letter says besides its figures: the parts of the request, refusals and rights."""
