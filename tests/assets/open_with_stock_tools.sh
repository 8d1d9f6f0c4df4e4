#!/bin/sh
# Opens sealed segments with tar, age and a SLIP-39 tool; nothing of Lamppost is needed.
#
#   open_with_stock_tools.sh OUT.mp4 EPOCH-FOLDER SEGMENT.tar KEY-FILE KEY-FILE...
#
# EPOCH-FOLDER is vault/CAMERA/EPOCH; give k custodians' key files. For several
# segments of a run: unpack them one after the other into the same folder.
# SHAMIR names the SLIP-39 tool: pip install 'shamir-mnemonic[cli]'.
set -eu
umask 077
out=$1 epoch=$2 segment=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 1. Each custodian opens the share that is theirs; `mnemonic:` is the SLIP-39 share.
for key in "$@"; do
    for share in "$epoch"/share-*.age; do
        age -d -i "$key" "$share" 2>/dev/null | sed -n 's/^mnemonic: //p' >>"$work/mnemonics" || true
    done
done

# 2. Any SLIP-39 tool combines them; `shamir recover` reads one a line and prints the secret in hex.
"${SHAMIR:-shamir}" recover <"$work/mnemonics" | grep -oE '[0-9a-f]{148}' >"$work/hex"

# 3. The secret is the age key, as text.
xxd -r -p "$work/hex" >"$work/epoch.key"

# 4. Unpack and decrypt: the init comes first, then the fragments in their order.
tar -xf "$segment" -C "$work"
for f in "$work"/*.age; do
    age -d -i "$work/epoch.key" "$f"
done >"$out"
