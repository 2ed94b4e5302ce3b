#!/bin/sh
# The first process of the small machine that scripts/record_quotas starts: makes file systems with quotas, has accounts
# write to them, runs the questions and prints the answers to the console. Nothing of it runs on the host.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
dmesg -n 1
for module in virtio_pci virtio_blk ext4 xfs quota_v2 nfsd nfs nfsv3 nfsv4; do modprobe "$module"; done
until [ -b /dev/vdf ]; do busybox usleep 100000; done
set -eu
trap 'echo "== RECORDING FAILED with $?"; busybox poweroff -f' EXIT

# -- accounts and projects; the sizes below are in KiB
account() { echo "$1:x:$2:100::/:/bin/sh" >>/etc/passwd; }
account ann 2001; account bob 2002; account cas 2003; account dee 2004; account eva 2005
account fay 2006; account gus 2007; account hal 2008; account ivo 2009
account wilhelmina-of-the-long-user-name 2010; account jan 2011
printf 'alpha:3001\nbeta:3003\n' >/etc/projid

# -- file systems: ext4, XFS, ext4 with a long name; XFS without quotas, XFS with those of projects only, and ext4 that
# counts and holds nobody to a limit, for want of mount options
long=/srv/a-file-system-with-a-long-name
mkdir -p /home /scratch "$long" /plain /projects /counted /export
for disk in vda vdc vdf; do mkfs.ext4 -q -O quota,project -E quotatype=usrquota:prjquota "/dev/$disk"; done
for disk in vdb vdd vde; do mkfs.xfs -q "/dev/$disk"; done
mount -o usrquota,prjquota /dev/vda /home
mount -o uquota,pquota /dev/vdb /scratch
mount -o usrquota,prjquota /dev/vdc "$long"
mount /dev/vdd /plain
mount -o pquota /dev/vde /projects
mount /dev/vdf /counted
mount --bind /home /export
ln -s /home /link

as() { # UID COMMAND...: as an account, without any right of root
    uid=$1; shift
    setpriv --reuid "$uid" --regid 100 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}
fill() { # UID FILE KIB
    as "$1" dd if=/dev/zero "of=$2" bs=4k count="$(($3 / 4))" conv=fsync 2>/tmp/dd || grep 'quota exceeded' /tmp/dd
}
many() { # UID DIRECTORY COUNT
    # shellcheck disable=SC2016  # the other shell expands it
    as "$1" sh -c 'for n in $(seq "$2"); do : >"$1/f$n" || exit 0; done' - "$2" "$3" || true
}
prepare() { # FILE-SYSTEM
    at=$1/files
    mkdir -m 1777 "$at"
    setquota -u ann 20480 30720 0 0 "$1"
    fill 2001 "$at/ann1" 4096; fill 2001 "$at/ann2" 3072; fill 2001 "$at/ann3" 1024
    setquota -u bob 10240 20480 0 0 "$1"
    fill 2002 "$at/bob" 12288
    setquota -u cas 0 10240 0 0 "$1"
    fill 2003 "$at/cas" 16384
    fill 2004 "$at/dee1" 4096; fill 2004 "$at/dee2" 1024
    setquota -u fay 10240 20480 100 200 "$1"
    mkdir -m 1777 "$at/gus" "$at/hal"
    setquota -u gus 0 0 10 20 "$1"
    many 2007 "$at/gus" 12
    setquota -u hal 0 0 0 5 "$1"
    many 2008 "$at/hal" 9
    setquota -u ivo 1024 8192 0 0 "$1"
    fill 2009 "$at/ivo" 2048
    setquota -T -u ivo 1 unset "$1"
    setquota -u wilhelmina-of-the-long-user-name 2048 4096 0 0 "$1"
    fill 2010 "$at/wilhelmina" 1024
    setquota -u jan 53687091200 64424509440 2000000000 3000000000 "$1" # 50 and 60 TiB
    fill 2011 "$at/jan" 1024
    for project in 3001 3002 3003; do
        mkdir -m 1777 "$1/p$project"
        chattr -p "$project" +P "$1/p$project"
    done
    setquota -P alpha 0 8192 0 0 "$1"
    fill 2001 "$1/p3001/a" 6144
    setquota -P 3002 1024 4096 0 0 "$1"
    fill 2001 "$1/p3002/a" 2048
}
for disk in /home /scratch "$long"; do prepare "$disk"; done
mkdir -m 1777 /plain/files /projects/files /counted/files
for disk in /plain /projects /counted; do fill 2001 "$disk/files/ann" 4096; done
setquota -u ann 1024 2048 0 0 /counted
sync
over=$(($(date +%s) + 1)) # ivo's time of grace, one second
until [ "$(date +%s)" -gt "$over" ]; do busybox usleep 100000; done

# -- NFS, of this machine to itself: /home in both versions, a directory of it, and what keeps no quotas
busybox ip link set lo up
mkdir -p /net/home3 /net/home4 /net/part /net/plain /run/rpcbind
mount -t nfsd nfsd /proc/fs/nfsd
rpcbind -w
for path in /home /home/files /plain; do echo "$path localhost(rw,no_subtree_check)"; done >/etc/exports
rpc.mountd
rpc.nfsd 2
exportfs -a
rpc.rquotad
mount -t nfs -o vers=3,nolock localhost:/home /net/home3
mount -t nfs -o vers=4.2 localhost:/home /net/home4
mount -t nfs -o vers=4.2 localhost:/home/files /net/part
mount -t nfs -o vers=4.2 localhost:/plain /net/plain
stop_rquotad() {
    kill "$(busybox pidof rpc.rquotad)"
    while busybox pidof rpc.rquotad >/dev/null; do busybox usleep 100000; done
}

# -- what was written and what the kernel counts, for who reads the record
echo "== $(uname -r)"
find /home/files /scratch/files -type f -printf '%u %k %s %p\n' | sort | grep -v -e gus -e hal
for disk in /home /scratch; do
    repquota -upn "$disk"
    repquota -Ppn "$disk"
done
xfs_quota -x -c 'report -u -N -b -i' -c 'report -p -N -b -i' /scratch

# -- the questions
mkdir /answers
# shellcheck source=/dev/null
. /questions
cd /answers
echo "== ANSWERS BEGIN"
tar -cz . | base64
echo "== ANSWERS END"
trap - EXIT
busybox poweroff -f
