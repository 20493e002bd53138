package main

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim/dataplane"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// events writes the event log. Its lines come from several goroutines.
type events struct {
	mu   sync.Mutex
	file *os.File
	out  *json.Encoder
}

func openEvents(path string) (*events, error) {
	file := os.Stdout
	if path != "-" {
		var err error
		if file, err = os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
			return nil, err
		}
	}
	return &events{file: file, out: json.NewEncoder(file)}, nil
}

func (e *events) write(line any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	// A log that cannot be written must not stop the router; close reports a full disk.
	_ = e.out.Encode(line)
}

func (e *events) observe(event routersim.Event) { e.write(event) }

// redirection is the event of a connection's first packet in one direction.
type redirection struct {
	Time        time.Time      `json:"time"`
	Event       string         `json:"event"`
	Service     string         `json:"service"`
	Cache       netip.Addr     `json:"cache"`
	By          string         `json:"by"` // gre or l2
	Bucket      uint8          `json:"bucket"`
	Alternate   *uint8         `json:"alternate_bucket,omitempty"`
	Source      netip.AddrPort `json:"source"`
	Destination netip.AddrPort `json:"destination"`
}

func (e *events) redirected(r dataplane.Redirect) {
	line := redirection{
		Time: time.Now(), Event: "redirected", Service: r.Service.String(),
		Cache: r.Choice.Target.Cache, By: "gre", Bucket: r.Choice.Bucket,
		Source:      netip.AddrPortFrom(r.Flow.Source, r.Flow.SourcePort),
		Destination: netip.AddrPortFrom(r.Flow.Destination, r.Flow.DestinationPort),
	}
	if r.Choice.Target.ByLayer2 {
		line.By = "l2"
	}
	if r.Choice.Alternate {
		line.Alternate = &r.Choice.AlternateBucket
	}
	e.write(line)
}

// remark is an event of the program itself.
type remark struct {
	Time    time.Time `json:"time"`
	Event   string    `json:"event"`
	Service string    `json:"service,omitempty"`
	Command string    `json:"command,omitempty"`
	Why     string    `json:"why,omitempty"`
}

func (e *events) ignored(line string) {
	e.write(remark{Time: time.Now(), Event: "ignored", Command: line, Why: "the machine's own settings hold"})
}

func (e *events) failed(service wire.ServiceID, err error) {
	e.write(remark{Time: time.Now(), Event: "failed", Service: service.String(), Why: err.Error()})
}

func (e *events) obeyed(command string, err error) {
	line := remark{Time: time.Now(), Event: "command", Command: command}
	if err != nil {
		line.Why = err.Error()
	}
	e.write(line)
}

func (e *events) close() error {
	if e.file == os.Stdout {
		return nil
	}
	err := e.file.Sync()
	if errors.Is(err, syscall.EINVAL) { // a device or a pipe keeps nothing
		err = nil
	}
	return errors.Join(err, e.file.Close())
}
