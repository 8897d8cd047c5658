#!/bin/sh
# Stands for apt's method `https` (its protocol: /usr/share/doc/apt-doc/method.html): gives the files of
# /standin/www, where a host is a folder.
printf '100 Capabilities\nVersion: 1.0\nSingle-Instance: true\n\n'
while read -r line; do
	case "$line" in
	[0-9]*) uri='' ;;
	"URI: "*) uri=${line#URI: } ;;
	"Filename: "*) to=${line#Filename: } ;;
	"")
		[ -n "$uri" ] || continue
		if cp "/standin/www/${uri#https://}" "$to" 2>/dev/null; then
			printf '201 URI Done\nURI: %s\nFilename: %s\nSize: %s\nSHA256-Hash: %s\n\n' \
				"$uri" "$to" "$(stat -c %s "$to")" "$(sha256sum <"$to" | cut -d ' ' -f 1)"
		else
			printf '400 URI Failure\nURI: %s\nMessage: there is no such file\nFailReason: HttpError404\n\n' "$uri"
		fi ;;
	esac
done
