// Package rights deals with the capabilities transparent interception needs: it
// names the one that is missing and the unit line that grants it, tells what the
// process has, and keeps what is needed across the change of user, on every thread.
package rights
