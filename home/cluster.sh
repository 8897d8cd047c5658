# What `hub home check` has to know beside facts.sh, by the function of fact.sh: the cluster, the way
# in, the way to the gateway. It only reads, and no look takes longer than 5 s.
# ADDRESS: the tailnet address. GATEWAYS: addresses of the gateway's instances. NODE: see node.sh.

kubectl() {
	k3s kubectl --request-timeout=5s "$@"
}

fact node kubectl get node "$NODE" -o json
fact pods kubectl get pods --all-namespaces -o json
fact model kubectl -n vlm get deployment vllm-qwen -o json
fact slices kubectl -n kube-system get configmap nvidia-time-slicing -o json
fact ingress kubectl -n vlm get ingress vllm-qwen -o name
fact log kubectl -n vlm logs deployment/vllm-qwen --tail=400
# The answer's status: 401 where Traefik asks for the gateway's key.
fact entry curl -s -o /dev/null -w '%{http_code}' --max-time 5 "http://$ADDRESS/health"
fact certificate openssl x509 -noout -enddate -in /var/lib/rancher/k3s/server/tls/serving-kube-apiserver.crt
for gateway in $GATEWAYS; do
	fact "ping:$gateway" tailscale ping -c 1 --timeout 3s "$gateway"
done
