# Starts K3s and waits until the model answers. WAIT: for how many seconds. NODE: see
# node.sh. A model that was scaled to 0, by free.sh or by hand, stays so: who lent the GPU out may be
# using it still.

systemctl start k3s.service
# shellcheck disable=SC2016 # the inner shell is given the node's name
timeout 120 sh -c 'until k3s kubectl wait --for=condition=Ready "node/$0" --timeout=30s; do sleep 2; done' "$NODE"
k3s kubectl uncordon "$NODE"
# Of no replicas `rollout status` says at once that they are there.
if [ "$(k3s kubectl -n vlm get deployment vllm-qwen -o jsonpath='{.spec.replicas}')" = 0 ]; then
	echo "K3s runs. The model stays off, since the GPU was given away: hub home take starts it."
	exit
fi
k3s kubectl -n vlm rollout status deployment/vllm-qwen --timeout="${WAIT}s"
