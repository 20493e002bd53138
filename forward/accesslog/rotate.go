package accesslog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// Rotate keeps numbered old files (logfile_rotate): NAME.0 is the newest. With
// keep 0 nothing is renamed and the file is just opened anew, for those who
// rename it themselves. Logs that are no regular files (a FIFO, syslog) are
// left alone. Lines written meanwhile go to the old file, which stays in use, under
// its old name, when a new one cannot be opened: a process out of descriptors does not
// begin at all.
func (f *File) Rotate(keep int) error {
	if f.queue.Load() != nil {
		return nil
	}
	out, err := Renew(f.path, keep, f.opener)
	if out == nil {
		return err
	}
	problems := []error{err}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seize()
	defer f.release()
	f.writePending()                       // it belongs in the old file
	if f.closed || f.queue.Load() != nil { // it has ended meanwhile, or has a reader now
		return errors.Join(append(problems, out.Close())...)
	}
	problems = append(problems, f.out.Close())
	f.torn = false
	f.use(out, isRegular(out))
	return errors.Join(problems...)
}

// Renew renames a log and its old files, as Rotate says, and opens it anew. The file is
// nil when the old one is to stay in use: without an error it is no regular file. An
// error beside a file is that of a rename.
func Renew(path string, keep int, opener Opener) (*os.File, error) {
	st, err := os.Stat(path)
	if err == nil && !st.Mode().IsRegular() {
		return nil, nil
	}
	if errors.Is(err, fs.ErrNotExist) { // logrotate has moved it away
		keep = 0
	}
	place, err := os.Open(os.DevNull) // the descriptor of the new file
	if err != nil {
		return nil, fmt.Errorf("rotating log %s: %w", path, err)
	}
	var problems []error
	for i := keep - 1; i > 0; i-- {
		problems = append(problems, rotationError(opener.Rename(path+"."+strconv.Itoa(i-1), path+"."+strconv.Itoa(i))))
	}
	renamed := false
	if keep > 0 {
		err := opener.Rename(path, path+".0")
		renamed = err == nil
		problems = append(problems, rotationError(err))
	}
	place.Close()
	out, err := opener.OpenLog(path)
	if err != nil {
		problems = append(problems, fmt.Errorf("cannot open log %s: %w", path, err))
		if renamed {
			problems = append(problems, rotationError(opener.Rename(path+".0", path)))
		}
		return nil, errors.Join(problems...)
	}
	return out, errors.Join(problems...)
}

// rotationError is what went wrong with a rename; the file need not exist.
func rotationError(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("rotating log: %w", err)
}
