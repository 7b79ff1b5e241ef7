"""The pages of reviews: begin one, read and decide, see how far it is, approve texts."""
