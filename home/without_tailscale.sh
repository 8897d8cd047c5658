# K3s' own scripts withdraw every route that this machine offers in the tailnet, also those that a
# person has set: they run `tailscale set --advertise-routes=` if there is a `tailscale`
# (k3s-io/k3s install.sh, remove_interfaces). So they find one here that does nothing.

without_tailscale() {
	hidden=$(mktemp -d /run/without-tailscale.XXXXXX)
	ln -s /bin/true "$hidden/tailscale"
	env PATH="$hidden:$PATH" "$@" && failed='' || failed=yes
	rm -r "$hidden"
	[ -z "$failed" ]
}
