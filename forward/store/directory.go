package store

import (
	"context"
	"iter"
	"os"

	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// Directory keeps files for the store, as ufs.Dir does; see there for what the methods
// promise. All but Allocate, Add and Delete may wait for the disk.
type Directory interface {
	Allocate() (ufs.Number, error)
	Create(ufs.Number, *ufs.Meta) (file *os.File, offset int64, err error)
	OpenObject(n ufs.Number, want *ufs.Want, buf []byte, cached bool) (*ufs.Object, error)
	Unlink(ufs.Number) error
	Add(*ufs.Record) error
	Delete(*ufs.Record) error
	Flush() error
	BeginLine() string
	Bloated(entries int) bool
	Rebuild(context.Context, ufs.Sink) (ufs.Report, error)
	Rewrite(records iter.Seq[*ufs.Record], clean bool) error
	Close() error
}
