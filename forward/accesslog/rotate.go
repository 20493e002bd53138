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
// left alone. Lines written meanwhile wait in the buffer. When the new file
// cannot be opened the old one stays in use.
func (f *File) Rotate(keep int) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if _, regular := f.out.(*os.File); !regular {
		return nil
	}
	if st, err := os.Stat(f.path); err == nil && !st.Mode().IsRegular() {
		return nil
	}
	f.flush()
	var problems []error
	for i := keep - 1; i > 0; i-- {
		problems = append(problems, f.rename(f.path+"."+strconv.Itoa(i-1), f.path+"."+strconv.Itoa(i)))
	}
	if keep > 0 {
		problems = append(problems, f.rename(f.path, f.path+".0"))
	}
	out, err := openTarget(f.path, f.opener)
	if err != nil {
		problems = append(problems, fmt.Errorf("cannot open log %s: %w", f.path, err))
		return errors.Join(problems...)
	}
	problems = append(problems, f.out.Close())
	f.out, f.torn = out, false
	return errors.Join(problems...)
}

// rename renames a file that may not exist.
func (f *File) rename(from, to string) error {
	if err := f.opener.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("rotating log: %w", err)
	}
	return nil
}
