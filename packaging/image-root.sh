#!/bin/sh
# Makes the whole file system of the container image: the program, the libraries that it is linked with, a user, and
# the folder of its data. Nothing else: no shell, no package manager.
#   image-root.sh BINARY FOLDER
set -eu
binary=$1
root=$2

mkdir -p "$root/etc" "$root/tmp" "$root/data"
chmod 1777 "$root/tmp"
chmod 700 "$root/data"
cp "$binary" "$root/waxseal"
chmod 755 "$root/waxseal"

# The loader and every library, at the paths where the loader looks for them.
ldd "$binary" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done

echo 'waxseal:x:65532:65532::/data:/nonexistent' > "$root/etc/passwd"
echo 'waxseal:x:65532:' > "$root/etc/group"
