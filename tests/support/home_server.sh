#!/bin/sh
# Stands for the programs of a home server, by the name it is called with. What they change it keeps
# in the folder /state, and it notes each call in /state/calls, each change in /state/changes. At the change whose number or words
# are in /state/die-at it kills the script that called it: before the change, or after it with /state/die-late.
# Programs that are in /standin/real do their work themselves, once it is noted.
name=$(basename "$0")
for word; do
	shift
	# Said by maintainer scripts; it makes no difference here.
	case "$name $word" in "systemctl --"|"systemctl --quiet"|"systemctl --root=/"|"systemctl --system") continue ;; esac
	set -- "$@" "$word"
done
echo "$name $*" >>/state/calls

change() {
	said="$name $*${DPKG_MAINTSCRIPT_PACKAGE:+ by $DPKG_MAINTSCRIPT_PACKAGE}"
	echo "$said" >>/state/changes
	case "$(cat /state/die-at 2>/dev/null)" in "$(wc -l </state/changes)"|"$said") ;; *) return 0 ;; esac
	[ -e /state/die-late ] && trap die EXIT && return 0
	die
	exit 137
}

die() {
	# Where the first process is the test's own, everything ends with it, as when the power fails.
	if [ -d /standin/real ]; then kill 1 && sleep 10; else kill -9 "$PPID"; fi
}

last() {
	echo "$*" | sed 's/.* //'
}

really() {
	if [ -x "/standin/real/$name" ]; then
		"/standin/real/$name" "$@"
		exit
	fi
}

node() {
	printf '{"BackendState": "%s", "Self": {"HostName": "%s", "DNSName": "%s.tail1234.ts.net.", "Tags": %s, "TailscaleIPs": %s}}' \
		"$1" "$2" "$2" "$3" "$4" >/state/tailscale
}

systemd_runs() {
	[ "$(cat /proc/1/comm)" = systemd ]
}

case "$name $1" in
"dpkg-query "*)
	for package in "$@"; do [ -e "/state/packages/$package" ] && echo "ii  $package"; done
	exit 0 ;;
"apt-get -s")
	really "$@"
	shift 2
	for package in "$@"; do
		[ "$package" = nvidia-container-toolkit ] && set -- "$@" libnvidia-container1
	done
	for package in "$@"; do [ -e "/state/packages/$package" ] || echo "Inst $package (1 stable [amd64])"; done
	exit 0 ;;
"apt-get "*)
	change "$@"
	really "$@"
	while [ "$1" != install ] && [ "$1" != update ]; do shift; done
	[ "$1" = update ] && exit 0
	shift 2
	for package in "$@"; do
		touch "/state/packages/$package"
		[ "$package" = nvidia-container-toolkit ] && touch /state/packages/libnvidia-container1
		[ "$package" = tailscale ] && cp /standin/any /usr/local/bin/tailscale && node NeedsLogin box null null &&
			touch /state/enabled/tailscaled.service /state/active/tailscaled.service
	done
	exit 0 ;;
"dpkg --purge")
	change "$@"
	really "$@"
	shift
	for package in "$@"; do
		rm -f "/state/packages/$package"
		[ "$package" = tailscale ] && rm -f /usr/local/bin/tailscale /state/tailscale /state/*/tailscaled.service
	done
	exit 0 ;;
"dpkg "*) really "$@"; exit 0 ;;
"systemctl is-enabled")
	really "$@"
	shift
	for unit in "$@"; do
		if [ -e "/state/masked/$unit" ]; then echo masked
		elif [ -e "/state/enabled/$unit" ]; then echo enabled
		else echo static; fi
	done
	exit 1 ;;
"systemctl is-active") [ -e "/state/active/$2" ] && echo active && exit 0; echo inactive; exit 3 ;;
"systemctl mask") change "$@"; really "$@"; shift; for unit in "$@"; do touch "/state/masked/$unit"; done; exit 0 ;;
"systemctl unmask") change "$@"; really "$@"; shift; for unit in "$@"; do rm -f "/state/masked/$unit"; done; exit 0 ;;
"systemctl enable")
	change "$@"
	[ "$2" = --now ] && touch "/state/active/$3"
	really enable "$(last "$@")"
	touch "/state/enabled/$(basename "$(last "$@")")"
	exit 0 ;;
"systemctl disable") change "$@"; rm -f "/state/enabled/$3" "/state/active/$3"; really disable "$3"; exit 0 ;;
"systemctl restart"|"systemctl start")
	change "$@"
	[ "$2" = home-wake-on-lan.service ] && echo g >/state/wake-on
	[ "$2" = tailscaled.service ] && [ ! -e /state/tailscale ] && node NeedsLogin box null null
	touch "/state/active/$2"
	exit 0 ;;
"systemctl stop") change "$@"; rm -f "/state/active/$2"; exit 0 ;;
"systemctl --preset-mode=enable-only") change "$@"; really "$@"; exit 0 ;;
"systemctl "*) change "$@"; exit 0 ;;
"ethtool -s") change "$@"; echo "$4" >/state/wake-on; exit 0 ;;
"ethtool "*) printf '\tSupports Wake-on: pumbg\n\tWake-on: %s\n' "$(cat /state/wake-on)"; exit 0 ;;
"timeout "*) shift; exec "$@" ;;
"sync "*) change "$@"; /usr/bin/sync "$@"; exit ;;
"ip "*) echo "default via 192.168.0.1 dev enp5s0 proto dhcp src 192.168.0.7 metric 100"; exit 0 ;;
"df "*) echo "Avail Use%"; cat /state/free; exit 0 ;;
"nvidia-smi ") echo "| 0 N/A N/A 4711 G game.exe 9012MiB |"; exit 0 ;;
"nvidia-smi --query-gpu=memory.used"*) echo "312 MiB, 24576 MiB"; exit 0 ;;
"nvidia-smi --query-gpu=memory.free"*) cat /state/gpu-memory; exit 0 ;;
"nvidia-smi "*) cat /state/gpu; exit $? ;;
"modinfo "*) cat /state/module-file; exit $? ;;
"mokutil "*) cat /state/secure-boot; exit $? ;;
"tailscale status") cat /state/tailscale; exit 0 ;;
"tailscale debug") cat /state/tailscale-prefs 2>/dev/null || echo '{"LoggedOut": true}'; exit 0 ;;
"tailscale logout") change "$@"; node NeedsLogin box null null; rm -f /state/joined /state/tailscale-prefs; exit 0 ;;
"tailscale down") change "$@"; sed -i 's/Running/Stopped/' /state/tailscale; exit 0 ;;
"tailscale set") change "$@"; sed -i "s/\"HostName\": \"[^\"]*\"/\"HostName\": \"${2#--hostname=}\"/; s/\"DNSName\": \"[^.]*/\"DNSName\": \"${2#--hostname=}/" /state/tailscale; exit 0 ;;
"tailscale up")
	change "$@"
	for word in "$@"; do
		case "$word" in
		--hostname=*) hostname=${word#--hostname=} ;;
		--advertise-tags=?*) tags="[\"${word#--advertise-tags=}\"]" ;;
		--force-reauth) force=yes ;;
		--login-server=*) server=${word#--login-server=} ;;
		esac
	done
	if grep -q '"LoggedOut": false' /state/tailscale-prefs 2>/dev/null && [ -z "$force" ]; then
		echo "Error: requested tags need --force-reauth" >&2
		exit 1
	fi
	# As 1.102.3 does for each setting that is not at its default.
	if [ -z "$server" ] && grep -q '"ControlURL": "http' /state/tailscale-prefs 2>/dev/null &&
		! grep -q '"https://controlplane.tailscale.com"' /state/tailscale-prefs; then
		echo "Error: changing settings via 'tailscale up' requires mentioning all non-default flags." >&2
		exit 1
	fi
	printf '{"LoggedOut": false, "ControlURL": "%s"}' "${server:-https://controlplane.tailscale.com}" >/state/tailscale-prefs
	echo "To authenticate, visit: https://login.tailscale.com/a/1234" >&2
	node Running "$hostname" "${tags:-null}" '["100.101.102.103", "fd7a:115c:a1e0::1"]'
	exit 0 ;;
"curl -s") cat /state/cluster/entry; exit 0 ;;
"openssl "*) cat /state/cluster/certificate; exit $? ;;
"tailscale ip") echo 100.101.102.103; exit 0 ;;
"tailscale ping") echo "pong from home-gateway ($6) via DERP(tok) in 40ms"; exit 0 ;;
"curl "*)
	change "$@"
	url=$2
	while [ "$1" != -o ]; do shift; done
	case "$*" in
	*k3s*) cp /standin/home_k3s_installer.sh "$2" ;;
	*) cat "/standin/www/${url#https://}" >"$2" 2>/dev/null || echo key >"$2" ;;
	esac
	exit 0 ;;
"k3s is") change "$@"; exit 0 ;;
"k3s installs")
	change "$@"
	[ -e /etc/rancher/k3s/config.yaml ] || { echo "no configuration before the first start" >&2; exit 1; }
	mkdir -p /etc/rancher/node /var/lib/kubelet /var/lib/rancher/k3s /var/log/containers /var/log/pods
	[ -e /etc/rancher/node/password ] || echo password >/etc/rancher/node/password
	cp /etc/rancher/k3s/config.yaml /var/lib/rancher/k3s/first-start
	cp /standin/home_k3s.yaml /etc/rancher/k3s/k3s.yaml
	echo "$2" >/state/k3s
	cp /standin/home_k3s.service /etc/systemd/system/k3s.service
	if [ -d /standin/real ]; then /standin/real/systemctl enable k3s.service; else touch /state/enabled/k3s.service; fi
	if systemd_runs; then systemctl daemon-reload && systemctl restart k3s.service; else touch /state/active/k3s.service; fi
	exit ;;
"k3s server")
	# As K3s, which binds to its address.
	address=$(sed -n 's/^node-ip: //p' /etc/rancher/k3s/config.yaml)
	ip -4 -o address | grep -q " $address/" || { echo "no interface has the address $address" >&2; exit 1; }
	# A container: it outlives K3s, and a shutdown waits 90 s for it.
	sh -c 'trap "" TERM; while :; do sleep 1; done' &
	echo $! >/state/active/container
	touch /state/active/k3s.service
	systemd-notify --ready
	trap 'rm /state/active/k3s.service; exit 0' TERM
	sleep infinity &
	wait
	exit ;;
"k3s --version") [ -e /state/k3s ] && echo "k3s version $(cat /state/k3s) (abc)"; exit 0 ;;
"k3s kubectl")
	shift
	case "$1" in --request-timeout=*) shift ;; esac
	case "$*" in
	*"get node $(cat /state/node 2>/dev/null || echo home) -o json") cat /state/cluster/node ;;
	*"get node $(cat /state/node 2>/dev/null || echo home)") [ -e /state/active/k3s.service ] ;;
	*"get pods --all"*) cat /state/cluster/pods ;;
	*"get pods"*phase!=Failed*) cat /state/cluster/model-pod 2>/dev/null ;;
	*"get pods"*) cat /state/cluster/model-pod /state/cluster/refused-pod 2>/dev/null ;;
	*"get configmap nvidia-time-slicing"*) cat /state/cluster/slices ;;
	*"get deployment"*spec.replicas*) cat /state/cluster/replicas 2>/dev/null || echo 1 ;;
	*"get deployment"*jsonpath*) echo '["--max-num-seqs=32","--gpu-memory-utilization=0.9"]' ;;
	*"get deployment"*) cat /state/cluster/model ;;
	*"get ingress"*) cat /state/cluster/ingress ;;
	*logs*) cat /state/cluster/log ;;
	*) change kubectl "$@" && [ "$(cat /state/refuses 2>/dev/null)" != "$1" ] ;;
	esac
	exit $? ;;
"k3s-killall.sh "*)
	change kills the rest
	[ ! -e /state/active/container ] || kill -9 "$(cat /state/active/container)"
	rm -f /state/active/container
	[ -z "$(command -v tailscale)" ] || tailscale set --advertise-routes=
	exit 0 ;;
"k3s-uninstall.sh "*)
	k3s-killall.sh
	change uninstalls
	systemd_runs && systemctl stop k3s.service
	[ -d /standin/real ] && /standin/real/systemctl disable k3s.service
	rm -rf /etc/rancher/k3s /etc/systemd/system/k3s.service /var/lib/kubelet /var/lib/rancher/k3s /state/k3s /state/*/k3s.service
	cd /usr/local/bin && rm -f k3s kubectl crictl ctr k3s-*.sh
	exit 0 ;;
esac
echo "the stand-in has no $name $*" >&2
exit 64
