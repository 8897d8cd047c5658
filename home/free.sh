# Gives the GPU away: the model's pod ends after the answers in flight. The Deployment keeps 0
# replicas over a boot and a `pulumi up`, until take.sh.

k3s kubectl -n vlm scale deployment/vllm-qwen --replicas=0
if k3s kubectl -n vlm get pods -l app=vllm-qwen -o name | grep -q pod; then
	k3s kubectl -n vlm wait --for=delete pod -l app=vllm-qwen --timeout=120s
fi
echo "The GPU's memory now:"
nvidia-smi --query-gpu=memory.used,memory.total --format=csv,noheader
echo "The gateway answers 503 model_unavailable. hub home take starts the model again."
