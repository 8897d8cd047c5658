"""A picture file, of whatever kind, to pixels in RGB."""
