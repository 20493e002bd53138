package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// player plays one scenario against one running proxy.
type player struct {
	sc   *scenario
	px   *proxy
	vals *values
	rec  recorder

	origins     map[string]*origin
	conns       map[string]*wire
	clientPorts []int
	sizes       map[int]bool // of what clients received
	sent        map[int]bool // of what clients sent
	challenge   string       // last Digest challenge seen
	exit        any
	late        time.Duration // that its steps took beyond what they should
}

// prompt is how long a step may take, beside what it waits for, without being late.
const prompt = time.Second

func newPlayer(sc *scenario, px *proxy) *player {
	return &player{sc: sc, px: px, vals: px.vals.within(sc.Name), origins: map[string]*origin{},
		conns: map[string]*wire{}, sizes: map[int]bool{}, sent: map[int]bool{}}
}

// play gives the masked observation.
func (p *player) play() (map[string]any, error) {
	logs := append([]string{"access.log"}, p.sc.Logs...)
	if !p.sc.Fresh {
		p.px.markLogs(logs)
	}
	defer p.closeServers()
	if err := p.openServers(); err != nil {
		return nil, err
	}
	if p.sc.DNS != nil {
		ns, err := newNameServer(p.vals.dnsAddr, p.sc.DNS)
		if err != nil {
			return nil, err
		}
		defer ns.close()
	}
	expected, _ := p.sc.Observed["steps"].([]any)
	var steps []map[string]any
	for i := range p.sc.Steps {
		var exp map[string]any
		if i < len(expected) {
			exp, _ = expected[i].(map[string]any)
		}
		began := time.Now()
		got, err := p.step(&p.sc.Steps[i], exp)
		p.late += max(0, time.Since(began)-p.sc.Steps[i].pause()-prompt)
		if err != nil {
			return nil, fmt.Errorf("step %d: %w", i, err)
		}
		steps = append(steps, got)
	}
	p.hangUpAll()
	return p.observation(steps, p.collect(logs)), nil
}

// openServers starts the scripted servers that the scenario speaks of.
func (p *player) openServers() error {
	raw, err := os.ReadFile(p.sc.file)
	if err != nil {
		return err
	}
	var parts struct{ Steps, Conf, Origins json.RawMessage }
	if err := json.Unmarshal(raw, &parts); err != nil {
		return err
	}
	text := string(parts.Steps) + string(parts.Conf) + string(parts.Origins)
	for _, name := range serverNames {
		spec, named := p.sc.Origins[name]
		if name == "DNS" || !named && name != "ORIGIN" && !usedIn(text, name) {
			continue
		}
		p.vals.port(name)
		if strings.HasPrefix(name, "DEAD") {
			continue
		}
		if name == "HANG" {
			spec = &originSpec{Hang: true}
		}
		o, err := newOrigin(name, spec, p.vals, &p.rec)
		if err != nil {
			return err
		}
		p.origins[name] = o
	}
	return nil
}

func (p *player) closeServers() {
	p.hangUpAll()
	for _, o := range p.origins {
		o.close()
	}
}

func (p *player) hangUpAll() {
	for name, w := range p.conns {
		w.conn.Close()
		delete(p.conns, name)
	}
}

// step does one step and gives what was observed of it, unmasked.
func (p *player) step(s *step, exp map[string]any) (map[string]any, error) {
	lists, err := s.behaviours()
	if err != nil {
		return nil, err
	}
	for name, list := range lists {
		o := p.origins[name]
		if o == nil {
			return nil, fmt.Errorf("no server %s", name)
		}
		o.push(list)
	}
	switch {
	case s.Wait != nil:
		time.Sleep(s.pause())
		return map[string]any{}, nil
	case s.File != nil, s.Conf != nil, s.Mv != nil, s.Rm != "", s.Ls != "":
		return p.filesStep(s)
	case s.Signal != "", s.K != "", s.Restart != nil, s.Exit != nil:
		return p.processStep(s), nil
	case s.ICP != nil:
		return p.icpStep(s), nil
	case s.UDP != "":
		return p.udpStep(s), nil
	}
	return p.clientStep(s, exp)
}

// filesStep writes, moves, removes or lists files of the instance's folder.
func (p *player) filesStep(s *step) (map[string]any, error) {
	none := map[string]any{}
	inDir := func(name string) string { return filepath.Join(p.px.dir, name) }
	switch {
	case s.File != nil:
		for name, content := range s.File {
			if err := os.WriteFile(inDir(name), []byte(p.vals.expand(content)), 0o644); err != nil {
				return nil, err
			}
		}
		return none, nil
	case s.Conf != nil:
		return none, p.px.write(s.Conf)
	case s.Mv != nil:
		return none, os.Rename(inDir(s.Mv[0]), inDir(s.Mv[1]))
	case s.Rm != "":
		files, _ := filepath.Glob(inDir(s.Rm))
		for _, f := range files {
			os.Remove(f)
		}
		return map[string]any{"removed": len(files) > 0}, nil
	}
	files, _ := filepath.Glob(inDir(s.Ls))
	names := []any{}
	slices.Sort(files)
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return map[string]any{"files": names}, nil
}

// processStep signals, orders, restarts or awaits the proxy.
func (p *player) processStep(s *step) map[string]any {
	switch {
	case s.Signal != "":
		if p.px.running() {
			p.px.cmd.Process.Signal(signalNamed(s.Signal))
		}
		return map[string]any{}
	case s.K != "":
		cmd := exec.Command(p.px.bin, "-f", p.px.confPath(), "-k", s.K)
		cmd.Dir = p.px.dir
		cmd.Run()
		return map[string]any{"rc": float64(cmd.ProcessState.ExitCode())}
	case s.Restart != nil:
		return p.restart(s)
	}
	select {
	case <-p.px.ended:
	case <-time.After(milliseconds(*s.Exit)):
	}
	return map[string]any{"exited": !p.px.running()}
}

func (p *player) restart(s *step) map[string]any {
	p.hangUpAll()
	p.px.stop()
	ok := p.px.start()
	time.Sleep(s.pause())
	return map[string]any{"started": ok}
}

func signalNamed(name string) syscall.Signal {
	return map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL,
		"USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT}[name]
}

// collect waits until the logs hold as many lines as were recorded and gives
// their texts; an absent log is not in the map.
func (p *player) collect(logs []string) map[string]*string {
	time.Sleep(milliseconds(float64(p.sc.Settle)))
	want := 0
	recorded, _ := p.sc.Observed["logs"].(map[string]any)
	for _, lines := range recorded {
		list, _ := lines.([]any)
		want += len(list)
	}
	_, lines := p.readLogs(logs)
	for deadline := time.Now().Add(3 * time.Second); lines < want && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
		_, lines = p.readLogs(logs)
	}
	time.Sleep(60 * time.Millisecond)
	if p.sc.Stop {
		p.exit = p.px.stop()
	}
	texts, _ := p.readLogs(logs)
	return texts
}

func (p *player) readLogs(names []string) (map[string]*string, int) {
	texts, lines := map[string]*string{}, 0
	for _, name := range names {
		texts[name] = nil
		if text, ok := p.px.logText(name); ok {
			texts[name] = &text
			lines += strings.Count(text, "\n")
		}
	}
	return texts, lines
}
