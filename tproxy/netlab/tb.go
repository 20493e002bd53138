package netlab

// TB is what a lab needs of a *testing.T, a *testing.B or a *rapid.T.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Skipf(format string, args ...any)
}

// ForTest starts a lab that fails the test when building fails and is removed
// with it. Without root the test is skipped; the continuous-integration run
// refuses such a skip.
func ForTest(tb TB) *Lab {
	tb.Helper()
	if err := Available(); err != nil {
		tb.Skipf("network-namespace test skipped: %v", err)
	}
	lab, err := New("cuttletest")
	if err != nil {
		tb.Fatalf("%v", err)
	}
	lab.fail = func(err error) { tb.Helper(); tb.Fatalf("%v", err) }
	tb.Cleanup(func() {
		if err := lab.Close(); err != nil {
			tb.Errorf("removing the lab: %v", err)
		}
	})
	return lab
}
