package helper

import (
	"syscall"
	"testing"
	"time"
)

// ownCPU is the processor time of this process without its children.
func ownCPU() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A question and its answer, one at a time, many at once, and many by channels, by a
// helper as fast as cat(1). own-ns/op is this process's processor time.
func BenchmarkAsk(b *testing.B) {
	question := []byte("http://www.example.com/some/path?query=1 192.0.2.1/- - GET -")
	for _, c := range []struct {
		name        string
		parallel    bool
		concurrency int
	}{{"one", false, 0}, {"many", true, 0}, {"channels", true, 64}} {
		b.Run(c.name, func(b *testing.B) {
			p, _ := newPool(b, Options{Program: []string{"/bin/cat"}, Children: 5, Concurrency: c.concurrency})
			ask := func() {
				if answer, err := p.Ask(b.Context(), question); err != nil || len(answer) != len(question) {
					b.Fatal(answer, err)
				}
			}
			ask()
			began := ownCPU()
			b.ReportAllocs()
			b.ResetTimer()
			if c.parallel {
				b.SetParallelism(32)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						ask()
					}
				})
			} else {
				for b.Loop() {
					ask()
				}
			}
			b.ReportMetric(float64(ownCPU()-began)/float64(b.N), "own-ns/op")
		})
	}
}
