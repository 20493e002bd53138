package main

import "os"

// processName is what pgrep, killall and SNMP know a copy by.
const processName = "squid"

// nameProcess gives this process its name: squid, for what
// 2.6 has such processes for, and what it is for the helpers beside it. A copy that
// was started by way of /proc/self/exe would be called exe.
//
// Without /proc the process keeps the name of its file.
func nameProcess(role string) {
	name := processName
	switch role {
	case roleMonitor, roleSpawner, roleProbe:
		name += "-" + role
	}
	if f, err := os.OpenFile("/proc/self/comm", os.O_WRONLY, 0); err == nil {
		f.WriteString(name)
		f.Close()
	}
}
