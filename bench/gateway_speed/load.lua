-- For wrk: sends one body again and again, and prints a line of JSON; latencies in milliseconds.
-- Arguments: the body's file, the API key.
function init(args)
	wrk.method = "POST"
	wrk.headers["Content-Type"] = "application/json"
	wrk.headers["Authorization"] = "Bearer " .. args[2]
	local file = assert(io.open(args[1], "rb"))
	wrk.body = file:read("*a")
	file:close()
end

function done(summary, latency, requests)
	local errors = summary.errors
	io.write(string.format(
		'{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "broken": %d}\n',
		summary.requests, summary.duration / 1e6,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000,
		errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
