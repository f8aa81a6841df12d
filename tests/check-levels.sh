#!/bin/sh
# What the headers have on each day is what tests/generations/api_table.py says, and that table knows
# all days of theirs. Run from the top of the build folder.
set -u
srcdir=${srcdir:-.}
CC=${CC:-cc}
python=${PYTHON:-/usr/bin/python3}
matrix=$srcdir/tests/generations/matrix.py

if ! "$python" -c 'import concurrent.futures' 2>/dev/null; then
    echo "Python is not there"
    exit 77
fi
days=$("$python" "$matrix" --dates) || exit 1
for day in $("$srcdir/tests/api-days.sh" "$srcdir/core/include"); do
    case "
$days
" in
    *"
$day
"*) ;;
    *)
        echo "the headers change on $day, and the table does not"
        exit 1
        ;;
    esac
done
exec "$python" "$matrix" --compiler "$CC" "-I$srcdir/core/include" "-I$srcdir/adapters/poll"
