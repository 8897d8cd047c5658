"""The gateway's speed beside other gateways: `python -m bench.gateway_speed`."""
