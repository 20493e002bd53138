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
	if st, err := os.Stat(f.path); err == nil && !st.Mode().IsRegular() {
		return nil
	}
	place, err := os.Open(os.DevNull) // the descriptor of the new file
	if err != nil {
		return fmt.Errorf("rotating log %s: %w", f.path, err)
	}
	var problems []error
	for i := keep - 1; i > 0; i-- {
		problems = append(problems, rotationError(f.opener.Rename(f.path+"."+strconv.Itoa(i-1), f.path+"."+strconv.Itoa(i))))
	}
	renamed := false
	if keep > 0 {
		err := f.opener.Rename(f.path, f.path+".0")
		renamed = err == nil
		problems = append(problems, rotationError(err))
	}
	place.Close()
	out, err := openTarget(f.path, f.opener)
	if err != nil {
		problems = append(problems, fmt.Errorf("cannot open log %s: %w", f.path, err))
		if renamed {
			problems = append(problems, rotationError(f.opener.Rename(f.path+".0", f.path)))
		}
		return errors.Join(problems...)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seize()
	defer f.release()
	if f.closed || f.queue.Load() != nil { // it has ended meanwhile, or has a reader now
		return errors.Join(append(problems, out.Close())...)
	}
	problems = append(problems, f.out.Close())
	f.torn = false
	f.use(out, isRegular(out))
	return errors.Join(problems...)
}

// rotationError is what went wrong with a rename; the file need not exist.
func rotationError(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("rotating log: %w", err)
}
