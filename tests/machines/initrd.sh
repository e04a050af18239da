#!/bin/busybox sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The first process of a virtual machine: it mounts the disk, adds what the
# boot brought along in /payload, and hands over to systemd.

/bin/busybox mkdir -p /sbin /proc /sys /dev /root
/bin/busybox --install -s
PATH=/bin:/sbin

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev

for module in /modules/*.ko; do
  insmod "$module"
done

n=0
until mount -t ext4 /dev/vda /root; do
  n=$((n + 1))
  [ $n -le 100 ] || { echo "no root disk"; poweroff -f; }
  usleep 50000
done

cp -a /payload/. /root/
if grep -q share=9p /proc/cmdline; then
  mkdir -p /root/share
  mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,access=any share /root/share
fi

for dir in proc sys dev; do
  mount -o move /$dir /root/$dir
done
exec switch_root /root /usr/lib/systemd/systemd
