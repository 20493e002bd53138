package ufs

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// MakeFolders makes what is missing of the folders of path (squid -z) by calling
// mkdir for each, which may find that one exists. The outermost is not made.
func MakeFolders(path string, l1, l2 int, mkdir func(path string) error) error {
	l := layout{path, l1, l2}
	for i := range l1 {
		if err := mkdir(l.firstFolder(i)); err != nil {
			return err
		}
		for j := range l2 {
			if err := mkdir(l.secondFolder(i, j)); err != nil {
				return err
			}
		}
	}
	return nil
}

// ErrFolders: the folders of a cache_dir are not there.
var ErrFolders = errors.New("folders are missing")

// folderError is ErrFolders in the words of 2.6's line in cache.log.
type folderError struct{ text string }

func (e *folderError) Error() string        { return e.text }
func (e *folderError) Is(target error) bool { return target == ErrFolders }

// Verify looks for the folders a start needs, l1 of the first level among them. The
// error is ErrFolders when one is missing.
func Verify(path string, l1 int) error { return layout{path: path, l1: l1}.verify() }

// verify looks for the folders 2.6 looks for at a start: the outermost and those of
// the first level. The error is ErrFolders.
func (l layout) verify() error {
	if err := verifyFolder(l.path); err != nil {
		return err
	}
	for i := range l.l1 {
		if err := verifyFolder(l.firstFolder(i)); err != nil {
			return err
		}
	}
	return nil
}

func verifyFolder(path string) error {
	info, err := os.Stat(path)
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		text := errno.Error()
		return &folderError{fmt.Sprintf("%s: (%d) %s", path, int(errno), strings.ToUpper(text[:1])+text[1:])}
	case err != nil:
		return err
	case !info.IsDir():
		return &folderError{path + " is not a directory"}
	}
	return nil
}
