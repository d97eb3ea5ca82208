# Keeps a browser company. Argument: its folder. Standard input is a pipe that only the process which asked for the browser holds
# open; its one line is the number of the browser's process group. When that process ends, by whatever death, the pipe closes: all
# of the browser's processes are killed, and its folder is removed.
trap '' INT TERM HUP
read -r group || group=
while read -r _; do :; done
tries=0
while [ "$tries" -lt 100 ]; do
    [ -z "$group" ] || kill -s KILL -- "-$group"
    rm -rf "$1" && [ ! -e "$1" ] && exit 0
    tries=$((tries + 1))
    sleep 0.05
done 2>/dev/null
exit 1
