#!/bin/sh
# verify_signature.sh SECRET_FILE BODY_FILE 'VALUE OF Lamppost-Signature'
set -eu
time=$(printf '%s' "$3" | sed -n 's/^t=\([0-9]*\),v1=[0-9a-f]*$/\1/p')
given=$(printf '%s' "$3" | sed -n 's/^t=[0-9]*,v1=\([0-9a-f]*\)$/\1/p')
[ -n "$time" ] || { echo "no signature"; exit 1; }
age=$(($(date +%s) - time))
[ "${age#-}" -le 300 ] || { echo "too old"; exit 1; }
expected=$({ printf '%s.' "$time"; cat "$2"; } | openssl dgst -sha256 -hmac "$(head -n 1 "$1")" -r | cut -d' ' -f1)
[ "$expected" = "$given" ] || { echo "not signed with this secret"; exit 1; }
echo "good"
