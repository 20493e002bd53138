// Command confdoc writes the reference documentation of squid.conf from the
// table of directives: squid.conf.documented, the manual page squid.conf.5 and
// directives.md, which says what each one does, into the folder given (conf, when run by go generate).
package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cuttle-proxy/cuttle/conf"
)

func main() {
	dir := "."
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	for name, write := range map[string]func(io.Writer) error{"squid.conf.documented": conf.WriteDocumented, "squid.conf.5": conf.WriteManual, "directives.md": conf.WriteEffects} {
		var b bytes.Buffer
		err := write(&b)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
