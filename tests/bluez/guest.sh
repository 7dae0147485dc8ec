#!/bin/sh
# Inside the virtual machine: D-Bus, bluetoothd, then the tests. Started by run.py:
#   guest.sh PYTHON CHECKOUT SECONDS [arguments for pytest]
# The disk is the host's, and read-only; all that is written here goes to memory and is gone with the machine.
set -u
python=$1 checkout=$2 seconds=$3
shift 3

say() { echo "bluez: $*"; }
finish() {
    if [ "$1" -ne 0 ]; then
        echo "--- bluetoothd"
        tail -n 60 /run/eyelid/bluetoothd.log
        echo "--- kernel"
        dmesg | tail -n 30
    fi
    say "exit $1"
    sleep 0.5 # the console's last lines, before the power goes
    exit "$1"
}
give_up() {
    say "$*"
    finish 1
}

PATH=$PATH:/usr/sbin:/sbin:/usr/libexec/bluetooth:/usr/lib/bluetooth
mkdir -p /run/eyelid/home /run/eyelid/tmp /run/dbus
export PATH HOME=/run/eyelid/home TMPDIR=/run/eyelid/tmp LANG=C.UTF-8
unset XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY
say "up after $(cut -d ' ' -f 1 /proc/uptime) s; kernel $(uname -r), BlueZ $(bluetoothd --version)"

# The host's bonds and settings are none of this machine's business.
mkdir -p /var/lib/bluetooth /etc/bluetooth
mount -t tmpfs -o mode=0700 none /var/lib/bluetooth || give_up "no place for bonds"
mount -t tmpfs none /etc/bluetooth || give_up "no place for settings"
printf '[Policy]\nAutoEnable=true\n' >/etc/bluetooth/main.conf

modprobe bluetooth && modprobe hci_vhci || give_up "the kernel's Bluetooth modules can't be loaded"
[ -c /dev/vhci ] || give_up "there is no /dev/vhci"
dbus-uuidgen --ensure 2>/dev/null
dbus-daemon --system --fork || give_up "the system bus does not start"
bluetoothd -n >/run/eyelid/bluetoothd.log 2>&1 &

export EYELID_IN_MACHINE=1 PYTHONDONTWRITEBYTECODE=1 PYTEST_DISABLE_PLUGIN_AUTOLOAD=1
cd "$checkout" || give_up "the checkout is out of sight"
timeout --kill-after=10 "$seconds" "$python" -m pytest -c "$checkout/tests/bluez/machine.ini" -m bluez "$@" "$checkout/tests/bluez"
finish $?
