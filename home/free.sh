# Gives the GPU away: the model's pod ends after the answers in flight. The Deployment keeps 0
# replicas over a boot and a `pulumi up`, until take.sh.

# Without those that have failed: of a boot one may be left that the GPU's node refused, for ever.
pods() {
	k3s kubectl -n vlm "$@" -l app=vllm-qwen --field-selector=status.phase!=Failed
}

k3s kubectl -n vlm scale deployment/vllm-qwen --replicas=0
if pods get pods -o name | grep -q pod; then
	pods wait --for=delete pod --timeout=120s
fi
echo "The GPU's memory now:"
nvidia-smi --query-gpu=memory.used,memory.total --format=csv,noheader
echo "The gateway answers 503 model_unavailable. hub home take starts the model again."
