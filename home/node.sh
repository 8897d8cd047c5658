# NODE: the name of K3s' node on this server. K3s takes it from its configuration, where `hub home
# install` writes it, else it is the machine's own (docs.k3s.io/cli/agent, node-name).

NODE=$(sed -n 's/^node-name: *//p' /etc/rancher/k3s/config.yaml 2>/dev/null | tr -d "\"'")
[ -n "$NODE" ] || NODE=$(uname -n | tr '[:upper:]' '[:lower:]')
