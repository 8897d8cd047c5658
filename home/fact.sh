# How `hub home` reads facts: their names and what their commands print, each ended by a zero byte.
# Nothing where a command does not exist; what it printed where it failed.

fact() {
	printf '%s\0' "$1"
	shift
	"$@" 2>/dev/null || true
	printf '\0'
}
