package wire

import "fmt"

// ServiceType tells well known services from described ones (5.6.2).
type ServiceType uint8

// The two types of service.
const (
	Standard ServiceType = 0
	Dynamic  ServiceType = 1
)

// String gives the word of the configuration file.
func (t ServiceType) String() string {
	switch t {
	case Standard:
		return "standard"
	case Dynamic:
		return "dynamic"
	}
	return fmt.Sprintf("type-%d", uint8(t))
}

// ServiceID names a service group: number and type together (4.2). A standard
// and a dynamic service of one number are two groups.
type ServiceID struct {
	Type ServiceType
	ID   uint8
}

// String gives "dynamic/80".
func (s ServiceID) String() string { return fmt.Sprintf("%s/%d", s.Type, s.ID) }

// Service flags (5.6.2): what is hashed, and what the ports mean.
const (
	SrcIPHash      uint32 = 0x0001
	DstIPHash      uint32 = 0x0002
	SrcPortHash    uint32 = 0x0004
	DstPortHash    uint32 = 0x0008
	PortsDefined   uint32 = 0x0010
	PortsSource    uint32 = 0x0020
	SrcIPAltHash   uint32 = 0x0100
	DstIPAltHash   uint32 = 0x0200
	SrcPortAltHash uint32 = 0x0400
	DstPortAltHash uint32 = 0x0800
)

// Service is the service component (5.6.2).
type Service struct {
	ServiceID
	Priority uint8 // 0 lowest, 255 highest
	Protocol uint8 // IP protocol number
	Flags    uint32
	Ports    [8]uint16 // zero ends the list early
}

func (r *reader) service() *Service {
	s := &Service{}
	s.Type, s.ID = ServiceType(r.u8()), r.u8()
	s.Priority, s.Protocol, s.Flags = r.u8(), r.u8(), r.u32()
	for i := range s.Ports {
		s.Ports[i] = r.u16()
	}
	return s
}

func (w *writer) service(s *Service) {
	w.component(ServiceInfo, func() {
		w.u8(uint8(s.Type))
		w.u8(s.ID)
		w.u8(s.Priority)
		w.u8(s.Protocol)
		w.u32(s.Flags)
		for _, p := range s.Ports {
			w.u16(p)
		}
	})
}
