# Stops K3s after the answers in flight have ended. POWER_OFF: `yes` to switch the machine off, too.
# NODE: see node.sh. Also wanted: without_tailscale.sh.
#
# Only the model's pod is sent away first: a drain would stop Traefik with it, through which the
# answers go. The pod leaves the Service, has a minute for what it has begun, and ends after 90 s.

kubectl() {
	k3s kubectl --request-timeout=10s "$@"
}

if kubectl get node "$NODE" >/dev/null; then
	# Otherwise a new pod would start at once, beside the old one on the same GPU.
	kubectl cordon "$NODE"
	trap 'kubectl uncordon "$NODE"' EXIT
	k3s kubectl -n vlm delete pod -l app=vllm-qwen --wait --timeout=120s --ignore-not-found
	# The cluster keeps no trace of the stop: at the next boot everything starts by itself.
	trap - EXIT
	kubectl uncordon "$NODE"
fi
systemctl stop k3s.service
# K3s leaves its containers running, and they hold up a shutdown for 90 s (k3s-io/k3s#2400).
without_tailscale /usr/local/bin/k3s-killall.sh >/dev/null ||
	echo "k3s-killall.sh failed: a shutdown will take longer."
echo "K3s is stopped. The gateway answers 503 home_unavailable until it runs again."
if [ "$POWER_OFF" = yes ]; then
	echo "Switching off."
	# In a moment, so that this connection ends in order.
	systemctl --no-block poweroff
fi
