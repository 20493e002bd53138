package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// choices are the flags.
type choices struct {
	bin         string
	only, with  []string
	against     string
	rounds      int
	slice       time.Duration
	concurrency int
	megabytes   int
	idle        int
	tlsIdle     int
	idleWait    time.Duration
	guest       bool
}

// everything is what can be measured.
const everything = "small,fresh,rewrite,channels,login,hit,hit32,freshhit,store,storefull,disk,bulk,connect,idle,tls,tlsbulk,tlsidle"

// unknown is the error of words that name nothing to measure.
func unknown(words []string) error {
	for _, word := range words {
		if !slices.Contains(strings.Split(everything, ","), word) {
			return fmt.Errorf("-only %s: there is no such measurement", word)
		}
	}
	return nil
}

func main() {
	switch {
	case len(os.Args) > 1 && os.Args[1] == guestWord:
		beGuest()
		return
	case len(os.Args) > 1 && os.Args[1] == apartWord:
		os.Args = append(os.Args[:1], os.Args[2:]...)
		inside = true
	}
	var c choices
	only := flag.String("only", everything, "what to measure")
	with := flag.String("with", "nginx,haproxy,trafficserver,squid", "which others to run, where installed")
	flag.StringVar(&c.bin, "bin", "bin/squid", "our binary")
	flag.StringVar(&c.against, "against", "", "another build of ours to measure beside it")
	flag.IntVar(&c.rounds, "rounds", 100, "rounds of the small-request measurement")
	flag.DurationVar(&c.slice, "slice", 60*time.Millisecond, "how long a proxy is loaded in each round")
	flag.IntVar(&c.concurrency, "c", 64, "kept connections of the small-request measurement")
	flag.IntVar(&c.megabytes, "megabytes", 64, "size of one bulk body")
	flag.IntVar(&c.idle, "idle", 4000, "idle connections")
	flag.IntVar(&c.tlsIdle, "tls-idle", 20000, "idle TLS connections that are passed on; fewer where the limit of descriptors, of which each takes two, does not allow for as many")
	flag.BoolVar(&c.guest, "guest", false, "measure in a guest, User Mode Linux, which limits descriptors by no limit of this machine's; it takes minutes, and times in it mean nothing")
	flag.DurationVar(&c.idleWait, "idle-wait", 30*time.Second, "how long they wait before memory is read")
	flag.Parse()
	endOnSignal()
	c.only, c.with = strings.Split(*only, ","), strings.Split(*with, ",")
	if err := c.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (c *choices) run() error {
	if err := unknown(c.only); err != nil {
		return err
	}
	liftDescriptorLimit()
	bin, err := filepath.Abs(c.bin)
	if err != nil {
		return err
	}
	if c.against != "" {
		if c.against, err = filepath.Abs(c.against); err != nil {
			return err
		}
	}
	if c.guest {
		return c.inGuest(bin)
	}
	if inside {
		return c.interceptions(bin)
	}
	o, err := newOrigin()
	if err != nil {
		return err
	}
	list := contenders(bin, c.against, c.with)
	for _, what := range c.only {
		switch what {
		case "small":
			c.small(o, list, "kept connections", false)
		case "fresh":
			c.small(o, list, "connections, both sides new for each request", true)
		case "rewrite", "channels", "login":
			c.helped(o, list, what)
		case "hit", "hit32", "freshhit", "store", "storefull", "disk":
			c.hits(o, list, what)
		case "bulk":
			c.streams(o, list, "bulk bodies", func(r *running) outcome { return bulk(r, 4, c.megabytes, 4) })
		case "connect":
			c.streams(o, list, "CONNECT tunnels", func(r *running) outcome { return connect(r, 4, 4*c.megabytes) })
		case "idle":
			c.idleMemory(o, list)
		case "tls", "tlsbulk", "tlsidle":
			if err := c.apart(what); err != nil {
				fmt.Printf("  %-22s %v\n", what, err)
			}
		}
	}
	return nil
}

// small prints processor time per request and its ratio to nginx's, and to that of
// the other build with -against. All contenders are there at once and loaded in
// turn, round after round: what else the machine does meets all of them alike.
func (c *choices) small(o *origin, list []contender, what string, fresh bool) {
	fmt.Printf("%d-octet object, not cached, %d %s, access log on, %d rounds of %v each\n",
		smallSize, c.concurrency, what, c.rounds, c.slice)
	c.inTurn(list, func(who contender) (*running, []*crowd, error) {
		r, err := who.start(o, noCache)
		if err != nil {
			return nil, nil, err
		}
		g, err := newCrowd(r, c.concurrency, fresh)
		return r, []*crowd{g}, err
	}, "nginx")
}

// inTurn loads all contenders and prints the ratios to one of them.
func (c *choices) inTurn(list []contender, begin func(contender) (*running, []*crowd, error), to string) {
	t := c.loaded(list, begin)
	if slices.ContainsFunc(t.names, func(name string) bool { return strings.HasSuffix(name, unkept) }) {
		t.table("ratio"+unkept, func(name string) string { return strings.TrimSuffix(name, unkept) + unkept }).print()
	}
	if c.against != "" {
		t.table("ratio to against", func(name string) string { return strings.Replace(name, "cuttle", "against", 1) }).print()
	}
	if c.against == "" || slices.Contains(t.names, to) {
		t.table("ratio to "+to, func(string) string { return to }).print()
	}
}

// loaded starts every contender with its crowds and loads them one after another, round
// after round.
func (c *choices) loaded(list []contender, begin func(contender) (*running, []*crowd, error)) *rounds {
	var crowds []*crowd
	for _, who := range list {
		r, begun, err := begin(who)
		if r != nil {
			defer r.stop()
		}
		if err != nil {
			fmt.Printf("  %-22s %v\n", who.name, err)
			continue
		}
		crowds = append(crowds, begun...)
	}
	t := newRounds()
	for round := range c.rounds + 1 {
		for _, g := range crowds {
			m := g.load(c.slice)
			if m.err != nil || m.requests == 0 {
				fmt.Printf("  %-22s no measurement: %v\n", g.name, m.err)
				continue
			}
			if round > 0 { // the first one warms up
				t.add(g.name, float64(m.cpu.Nanoseconds())/1e3/float64(m.requests), float64(m.requests)/m.elapsed.Seconds())
			}
		}
	}
	return t
}

// streams prints processor time per gigabyte and its ratio to haproxy's.
func (c *choices) streams(o *origin, list []contender, what string, run func(*running) outcome) {
	fmt.Printf("%s, 4 streams of %d MB\n", what, 4*c.megabytes)
	t := newTable("ms/GB", "ratio to haproxy", "GB/s")
	for _, who := range list {
		if what == "CONNECT tunnels" && who.name == "nginx" {
			continue
		}
		measure(who, o, t, func(r *running) ([]float64, error) {
			m := run(r)
			if m.err != nil || m.bytes == 0 {
				return nil, fmt.Errorf("no measurement: %v", m.err)
			}
			gigabytes := float64(m.bytes) / (1 << 30)
			return []float64{float64(m.cpu.Milliseconds()) / gigabytes, 0, gigabytes / m.elapsed.Seconds()}, nil
		})
	}
	t.ratios("haproxy")
	t.print()
}

func (c *choices) idleMemory(o *origin, list []contender) {
	fmt.Printf("%d idle client connections, %v after one request each\n", c.idle, c.idleWait)
	t := newTable("octets/connection")
	for _, who := range list {
		measure(who, o, t, func(r *running) ([]float64, error) {
			per, err := idle(r, c.idle, c.idleWait)
			return []float64{per}, err
		})
	}
	t.print()
}

// measure runs one contender; one that fails is named and left out.
func measure(who contender, o *origin, t *table, run func(*running) ([]float64, error)) {
	r, err := who.start(o, noCache)
	if err != nil {
		fmt.Printf("  %-22s %v\n", who.name, err)
		return
	}
	defer r.stop()
	row, err := run(r)
	if err != nil {
		fmt.Printf("  %-22s %v\n", who.name, err)
		return
	}
	t.add(who.name, row)
}

func liftDescriptorLimit() {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil {
		l.Cur = l.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	}
}
