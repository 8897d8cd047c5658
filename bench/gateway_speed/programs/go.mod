module gatewayspeed

go 1.25
