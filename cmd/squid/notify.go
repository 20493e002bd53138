package main

import "github.com/coreos/go-systemd/v22/daemon"

// What systemd is told in a unit of Type=notify; without one nothing happens.
// An error says that nobody listens, and there is nobody to tell it to.

func notifyReady() { daemon.SdNotify(false, daemon.SdNotifyReady) }

func notifyReloading() {
	daemon.SdNotify(false, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
}

func notifyStopping() { daemon.SdNotify(false, daemon.SdNotifyStopping) }
