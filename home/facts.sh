# What `hub home` has to know of the server, by the function of fact.sh. It only reads; what it means
# is decided in hub/home/facts.py. PLACED: the files that `hub home install` places. LEFT_BEHIND: what
# the programs that it installs leave behind when they go.

# The folder that is there already on the way to a file.
existing_folder() {
	folder=$1
	until [ -d "$folder" ]; do folder=$(dirname "$folder"); done
	echo "$folder"
}

interface=$(ip -4 route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)

fact os cat /etc/os-release
fact free df --block-size=1G --output=avail,pcent /var/lib
# shellcheck disable=SC2016 # dpkg-query's own fields
fact packages dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' curl ethtool nvidia-container-toolkit tailscale
fact sleep systemctl is-enabled sleep.target suspend.target hibernate.target hybrid-sleep.target

fact gpu nvidia-smi --query-gpu=driver_version,name --format=csv,noheader
fact module cat /sys/module/nvidia/version
fact module-file modinfo -F version nvidia
fact secure-boot mokutil --sb-state

fact interface echo "$interface"
fact mac cat "/sys/class/net/$interface/address"
fact wake-on-lan ethtool "$interface"
fact wake-on-lan-unit systemctl is-enabled home-wake-on-lan.service
fact ssh echo "${SSH_CONNECTION:-}"
fact tailscale tailscale status --json
fact tailscale-settings tailscale debug prefs

fact k3s k3s --version
fact k3s-active systemctl is-active k3s.service
fact k3s-enabled systemctl is-enabled k3s.service

# shellcheck disable=SC2086 # several paths
fact there ls -d $LEFT_BEHIND
for path in $PLACED; do
	fact "file:$path" cat "$path"
	fact "new:$path" ls "$path.new"
	fact "mode:$path" stat -c %a "$path"
	fact "folder:$path" existing_folder "$(dirname "$path")"
done
# What `hub home install` has written down before each of its steps.
for entry in /var/lib/personal-cloud-hub/before/*.json; do
	[ -e "$entry" ] && fact "before:$(basename "$entry" .json)" cat "$entry"
done
true
