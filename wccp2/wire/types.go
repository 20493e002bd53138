package wire

import "fmt"

// Port is the UDP port of WCCP, both versions, both sides (5).
const Port = 2048

// Versions of the message header (5.5; rev1).
const (
	Version2   uint16 = 0x0200
	Version2r1 uint16 = 0x0201
)

// MessageType is the first word of every WCCP packet (5.5; version 1: 7 to 9).
type MessageType uint32

// The messages of version 1 and 2.
const (
	V1HereIAm       MessageType = 7
	V1ISeeYou       MessageType = 8
	V1AssignBuckets MessageType = 9
	HereIAm         MessageType = 10
	ISeeYou         MessageType = 11
	RedirectAssign  MessageType = 12
	RemovalQuery    MessageType = 13
)

// String gives the name the drafts use.
func (t MessageType) String() string {
	switch t {
	case V1HereIAm:
		return "V1_HERE_I_AM"
	case V1ISeeYou:
		return "V1_I_SEE_YOU"
	case V1AssignBuckets:
		return "V1_ASSIGN_BUCKETS"
	case HereIAm:
		return "HERE_I_AM"
	case ISeeYou:
		return "I_SEE_YOU"
	case RedirectAssign:
		return "REDIRECT_ASSIGN"
	case RemovalQuery:
		return "REMOVAL_QUERY"
	}
	return fmt.Sprintf("message type %d", uint32(t))
}

// ComponentType tells the parts of a version 2 message apart (5.6; 16 and 17: rev1).
type ComponentType uint16

// The component types of version 2.
const (
	SecurityInfo       ComponentType = 0
	ServiceInfo        ComponentType = 1
	RouterIdentityInfo ComponentType = 2
	CacheIdentityInfo  ComponentType = 3
	RouterViewInfo     ComponentType = 4
	CacheViewInfo      ComponentType = 5
	AssignmentInfo     ComponentType = 6
	QueryInfo          ComponentType = 7
	CapabilityInfo     ComponentType = 8
	AltAssignmentInfo  ComponentType = 13
	AssignmentMapInfo  ComponentType = 14
	CommandInfo        ComponentType = 15
	AltMapInfo         ComponentType = 16
	AddressTableInfo   ComponentType = 17
)

var componentNames = map[ComponentType]string{
	SecurityInfo: "security", ServiceInfo: "service", RouterIdentityInfo: "router identity",
	CacheIdentityInfo: "cache identity", RouterViewInfo: "router view", CacheViewInfo: "cache view",
	AssignmentInfo: "assignment", QueryInfo: "query", CapabilityInfo: "capability",
	AltAssignmentInfo: "alternate assignment", AssignmentMapInfo: "assignment map",
	CommandInfo: "command extension", AltMapInfo: "alternate assignment map", AddressTableInfo: "address table",
}

// String names the component in words for log lines.
func (t ComponentType) String() string {
	if s, ok := componentNames[t]; ok {
		return s
	}
	return fmt.Sprintf("component type %d", uint16(t))
}

// Component is a part of a message that was not interpreted.
type Component struct {
	Type ComponentType
	Body []byte // without the four octets of type and length
}
