"""One frame over several cores: which core computes what of each layer, and how the parts meet."""
