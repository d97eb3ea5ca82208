# Keeps a scratch server company. Arguments: the scratch folder, then the server's command line.
# Standard input is a pipe that only the process which asked for the server holds open. When that process ends, by whatever
# death, the pipe closes: the server is stopped and the folder removed. The word `keep` on the pipe lets both stay.
trap '' INT TERM HUP
folder=$1
shift
exec 3<&0
"$@" 3<&- </dev/null >>"$folder/log" 2>&1 &
server=$!
{
    if read -r word <&3 && [ "$word" = keep ]; then
        : >"$folder/kept"
    elif [ ! -e "$folder/exited" ]; then
        kill -INT "$server"
    fi
} 2>/dev/null &
owner=$!
exec </dev/null 3<&-
wait "$server"
echo "$?" >"$folder/exited"
wait "$owner"
[ -e "$folder/kept" ] || rm -rf "$folder"
