# shellcheck shell=bash disable=SC2034 # the steps use the names
# Says what all steps share: the shape of the card, and a chroot that leaves nothing mounted behind.

MIB=1048576
BOOT_START_MIB=4
BOOT_MIB=512 # the firmware, and kernel and initramfs of two systems
SYSTEM_MIB=1792 # for each of them (hub/firstboot/card.py)
BOOT_LABEL=HIKMA-BOOT
ROOT_LABEL=hikma-root-A # of the system that is flashed; first boot makes room for the other
DEBIAN=http://deb.debian.org/debian # what the box asks for packages, wherever it was built
DEBIAN_SECURITY=http://deb.debian.org/debian-security
# One time for every file and file system, so that the same input makes the same image.
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$(dirname "${BASH_SOURCE[0]}")" log -1 --format=%ct)}

say() { printf '%4d s  %s\n' "$SECONDS" "$*" >&2; }

fail() {
    printf 'image: %s\n' "$*" >&2
    exit 1
}

need() { # need COMMAND PACKAGE ...
    local missing=()
    while (($#)); do
        command -v "$1" >/dev/null || missing+=("$2")
        shift 2
    done
    ((${#missing[@]} == 0)) || fail "this needs programs that are not here: apt install ${missing[*]}"
}

make_root() { # make_root TREE OUT.ext4 LABEL: as small as can be; two runs give the same bytes
    local used_mib size_mib uuid inodes inode
    used_mib=$(du --summarize --apparent-size --block-size=M "$1" | cut -f1 | tr -d M)
    size_mib=$((used_mib * 115 / 100 + 160)) # metadata, journal, and room for first boot to write before it grows
    ((size_mib <= SYSTEM_MIB)) || fail "the system takes $size_mib MB; the card has $SYSTEM_MIB MB for each. Remove packages:
base_unwanted_packages in ansible/roles/base/defaults/main.yml"
    uuid=$(sha256sum <<<"hikma $SOURCE_DATE_EPOCH" | sed -E 's/(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-4\3-8\4-\5/')
    rm -f "$2"
    truncate -s ${size_mib}M "$2"
    E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -F -t ext4 -L "$3" -U "$uuid" \
        -E "hash_seed=$uuid,root_owner=0:0,lazy_itable_init=0" -d "$1" "$2"
    # mke2fs takes over when each file was last read and when its inode changed, which no two builds share.
    inodes=$(dumpe2fs -h "$2" 2>/dev/null | awk '/^Inode count/ {a = $3} /^Free inodes/ {f = $3} END {print a - f}')
    for inode in 2 $(seq 11 "$inodes"); do
        printf 'sif <%d> %s @%d\n' "$inode" atime "$SOURCE_DATE_EPOCH" "$inode" ctime "$SOURCE_DATE_EPOCH"
    done | E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH debugfs -w -f - "$2" >/dev/null 2>&1
}

mirror() { # mirror CODENAME DEFAULT: where this machine takes it from, if it is a Debian; it may reach nothing else
    local found
    # shellcheck disable=SC2016 # apt expands it
    found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $1" 2>/dev/null | head -n 1) || true
    found=${found%/}
    echo "${found:-$2}"
}

# Rewrites apt's sources of the box for this machine: its own mirrors of Debian stand in for the public ones.
here() {
    local codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    sed -E "s#$DEBIAN_SECURITY/?( |\$)#$(mirror "$codename-security" "$DEBIAN_SECURITY")\1#
        s#$DEBIAN/?( |\$)#$(mirror "$codename" "$DEBIAN")\1#"
}

# Lets this machine run arm64 programs. Debian's qemu-user-binfmt registers itself where systemd runs;
# a container has to do it by hand.
emulate_arm64() {
    [[ $(uname -m) == aarch64 ]] && return
    local conf=/usr/lib/binfmt.d/qemu-aarch64.conf registry=/proc/sys/fs/binfmt_misc
    [[ -e $registry/register ]] || mount -t binfmt_misc binfmt_misc "$registry"
    [[ -e $registry/qemu-aarch64 ]] || cat "$conf" >"$registry/register"
}

# native_python PYTHON: a script by which the chroot of in_root runs a Python of this machine. An emulated one takes
# seconds to start, and a playbook starts one for each task.
native_python() {
    local python loader libraries
    python=$(realpath "$1")
    loader=$(realpath "$(ldd "$python" | awk '$1 ~ "^/" {print $1}')")
    libraries=/run/host${python%/bin/*}/lib:/run/host${loader%/*}
    printf '#!/bin/sh\nexec %s --library-path %s --argv0 %s %s "$@"\n' \
        "/run/host$loader" "$libraries" "/run/host$python" "/run/host$python"
}

# in_root ROOT COMMAND...: runs COMMAND of this machine while ROOT has /proc, /dev, a name server, this machine's files at
# /run/host, what NATIVE_PYTHON says at /run/python, and no services.
# All of it lives in a mount namespace of its own and vanishes with it, however COMMAND ends.
in_root() {
    export DEBIAN DEBIAN_SECURITY
    export -f here mirror
    unshare --mount --propagation private bash -s -- "$@" <<'NAMESPACE'
set -euo pipefail
root=$1
shift
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sys "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs tmpfs "$root/run"
mkdir "$root/run/host"
mount --bind -o ro / "$root/run/host"
if [[ -n ${NATIVE_PYTHON:-} ]]; then
    echo "$NATIVE_PYTHON" >"$root/run/python"
    chmod +x "$root/run/python"
fi
mount -t tmpfs tmpfs "$root/tmp"
[[ -L $root/etc/resolv.conf || ! -e $root/etc/resolv.conf ]] && { rm -f "$root/etc/resolv.conf"; touch "$root/etc/resolv.conf"; }
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
mkdir "$root/run/sources"
for file in "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*; do
    [[ -s $file ]] || continue
    here <"$file" >"$root/run/sources/${file##*/}"
    mount --bind "$root/run/sources/${file##*/}" "$file"
done
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
trap 'rm -f "$root/usr/sbin/policy-rc.d"' EXIT
"$@" </dev/null
NAMESPACE
}
