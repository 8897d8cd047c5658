# Starts K3s and waits until the model answers. WAIT: for how many seconds.

systemctl start k3s.service
timeout 120 sh -c 'until k3s kubectl wait --for=condition=Ready node/home --timeout=30s; do sleep 2; done'
k3s kubectl uncordon home
k3s kubectl -n vlm rollout status deployment/vllm-qwen --timeout="${WAIT}s"
