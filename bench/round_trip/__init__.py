"""What a long way between gateway and home costs: `python -m bench.round_trip`."""
