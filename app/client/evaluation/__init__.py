"""How well a served model finds things: grounding sets, their measures and their reports."""
