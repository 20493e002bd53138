package conf

import (
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/parser"
)

// WCCP holds every wccp_ and wccp2_ directive.
type WCCP struct {
	// Router is wccp_router (version 1); 0.0.0.0 for none.
	Router netip.Addr
	// Address is wccp_address (version 1); 0.0.0.0 for any.
	Address netip.Addr
	// Version is wccp_version (version 1).
	Version int

	// V2Routers is wccp2_router; empty for none. Port 0 means WCCP's own, 2048.
	V2Routers []netip.AddrPort
	// V2Address is wccp2_address; 0.0.0.0 for any.
	V2Address netip.Addr
	// RebuildWait is wccp2_rebuild_wait.
	RebuildWait bool
	// ForwardingMethod is wccp2_forwarding_method (1 GRE, 2 L2).
	ForwardingMethod int
	// ReturnMethod is wccp2_return_method (1 GRE, 2 L2).
	ReturnMethod int
	// AssignmentMethod is wccp2_assignment_method (1 hash, 2 mask).
	AssignmentMethod int
	// Weight is wccp2_weight.
	Weight int

	// Mask is wccp2_mask (ours): the bits mask assignment looks at; 0 means 2.6's 0x1741.
	Mask uint32
	// Division is wccp2_division (ours): how buckets are handed round the caches.
	Division WCCPDivision
	// ShutdownWait is wccp2_shutdown_wait (ours, default 35 seconds): the longest that leaving takes.
	ShutdownWait time.Duration

	// Services is wccp2_service with what wccp2_service_info added; "standard 0" when not given.
	Services []*WCCPService
	// RouterPos is the place of the first wccp2_router line.
	RouterPos parser.Pos
}

// The methods of wccp2_forwarding_method, wccp2_return_method and wccp2_assignment_method.
const (
	WCCPGRE  = 1
	WCCPL2   = 2
	WCCPHash = 1
	WCCPMask = 2
)

// WCCPDivision is a word of wccp2_division.
type WCCPDivision int

// The ways to divide buckets.
const (
	// WCCPDivideRecorded ("recorded", the default) is 2.6's: it depends on the set of caches only.
	WCCPDivideRecorded WCCPDivision = iota
	// WCCPDivideMinimal ("minimal") moves only the buckets of caches that leave.
	WCCPDivideMinimal
)

// WCCPFlags are the service flags as the protocol carries them (draft-wilson-wrec-wccp-v2-01, section 5.6.1).
type WCCPFlags uint32

// The flag words of wccp2_service_info.
const (
	WCCPSrcIPHash      WCCPFlags = 0x0001
	WCCPDstIPHash      WCCPFlags = 0x0002
	WCCPSrcPortHash    WCCPFlags = 0x0004
	WCCPDstPortHash    WCCPFlags = 0x0008
	WCCPPortsDefined   WCCPFlags = 0x0010
	WCCPPortsSource    WCCPFlags = 0x0020
	WCCPSrcIPAltHash   WCCPFlags = 0x0100
	WCCPDstIPAltHash   WCCPFlags = 0x0200
	WCCPSrcPortAltHash WCCPFlags = 0x0400
	WCCPDstPortAltHash WCCPFlags = 0x0800
)

// WCCPService is one wccp2_service with its wccp2_service_info.
type WCCPService struct {
	// Dynamic: the service is described here, else the router knows it ("standard").
	Dynamic bool
	ID      uint8
	// Password is at most eight bytes; "" for no MD5.
	Password    string
	HasPassword bool

	// HasInfo: a wccp2_service_info line set the fields below.
	HasInfo  bool
	Priority uint8
	// Protocol is the IP protocol number, 6 or 17; 0 without info.
	Protocol uint8
	Flags    WCCPFlags
	// Ports is up to eight ports; 0 entries are unused.
	Ports [8]uint16

	Pos     parser.Pos
	InfoPos parser.Pos
}
