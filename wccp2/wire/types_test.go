package wire

import "testing"

// Names for log lines.
func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		HereIAm.String(): "HERE_I_AM", MessageType(99).String(): "message type 99", RemovalQuery.String(): "REMOVAL_QUERY",
		V1HereIAm.String(): "V1_HERE_I_AM", V1ISeeYou.String(): "V1_I_SEE_YOU", V1AssignBuckets.String(): "V1_ASSIGN_BUCKETS",
		ISeeYou.String(): "I_SEE_YOU", RedirectAssign.String(): "REDIRECT_ASSIGN",
		ComponentType(77).String(): "component type 77", QueryInfo.String(): "query",
		ServiceID{Standard, 0}.String(): "standard/0", ServiceID{Dynamic, 80}.String(): "dynamic/80", ServiceID{7, 1}.String(): "type-7/1",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
