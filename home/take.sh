# Takes the GPU back: starts the model and waits until it answers. WAIT: for how many seconds.

kubectl() {
	k3s kubectl -n vlm "$@"
}

# A pod that a boot has left, refused, holds no memory.
if [ -z "$(kubectl get pods -l app=vllm-qwen --field-selector=status.phase!=Failed -o name)" ]; then
	# vLLM ends at its start, again and again, where less than its share of the memory is free.
	share=$(kubectl get deployment vllm-qwen -o jsonpath='{.spec.template.spec.containers[0].args}' |
		sed -n 's/.*--gpu-memory-utilization=\([0-9.]*\).*/\1/p')
	memory=$(nvidia-smi --query-gpu=memory.free,memory.total --format=csv,noheader,nounits | head -n 1)
	if ! echo "$memory" | awk -F ', ' -v share="$share" '{ exit $1 < $2 * share }'; then
		echo "The model needs $share of the GPU's memory, and of $memory MiB (free, in all) too little is free."
		echo "End what holds it:"
		nvidia-smi
		exit 1
	fi
fi
kubectl scale deployment/vllm-qwen --replicas=1
kubectl rollout status deployment/vllm-qwen --timeout="${WAIT}s"
