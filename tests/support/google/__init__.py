"""Google's own description of its interfaces, and whether something fits it."""
