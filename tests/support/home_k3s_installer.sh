#!/bin/sh
# Stands for K3s' installer, which puts its files there in this order.
set -e
cd /usr/local/bin
cp /standin/any k3s
k3s is placed
for command in kubectl crictl ctr; do [ -e "$command" ] || ln -s k3s "$command"; done
cp /standin/any k3s-killall.sh
cp /standin/any k3s-uninstall.sh
exec k3s installs "$INSTALL_K3S_VERSION"
