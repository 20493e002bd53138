package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The names the origins have certificates for. The rules refuse the last one.
var tlsNames = []string{"four.example", "six.example", "up4.example", "up6.example", "refused.example"}

// uploads4 and uploads6 are where Go's server answers; nginx is at the street's origin.
const uploads4, uploads6 = "10.2.0.3", "fd02::3"

// authority is a certificate that signs itself, in the files that clients and nginx
// read.
type authority struct {
	pair              tls.Certificate
	certFile, keyFile string
	text              string // of certFile
	pin               string // SHA-256 of the public key, in base64 (RFC 7469)
}

func newAuthority(t testing.TB, dir string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the origins"}, DNSNames: tlsNames, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	pin := sha256.Sum256(public)
	a := &authority{
		pair:     tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		certFile: filepath.Join(dir, "origin.pem"), keyFile: filepath.Join(dir, "origin.key"),
		text: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		pin:  base64.StdEncoding.EncodeToString(pin[:]),
	}
	for path, text := range map[string]string{
		a.certFile: a.text, a.keyFile: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

const nginxOrigin = `daemon off; master_process off; pid %[1]s/nginx.pid; error_log %[1]s/nginx.log;
events { }
http {
  access_log off;
  client_body_temp_path %[1]s/n1; proxy_temp_path %[1]s/n2; fastcgi_temp_path %[1]s/n3; uwsgi_temp_path %[1]s/n4; scgi_temp_path %[1]s/n5;
  server {
    listen %[4]s:443 ssl http2; listen [%[5]s]:443 ssl http2;
    ssl_certificate %[2]s; ssl_certificate_key %[3]s; ssl_protocols TLSv1.2 TLSv1.3;
    location / { default_type text/plain; return 200 "$remote_addr $ssl_protocol $ssl_session_reused $server_protocol $ssl_server_name\n"; }
  }
}
`

// serveTLS starts nginx, which says what it saw of a connection, and Go's server,
// which says besides what was uploaded.
func (s *street) serveTLS() *authority {
	s.t.Helper()
	a := newAuthority(s.t, s.dir)
	path, err := exec.LookPath("/usr/sbin/nginx")
	if err != nil {
		s.t.Skip("needs nginx")
	}
	conf := filepath.Join(s.dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(fmt.Sprintf(nginxOrigin, s.dir, a.certFile, a.keyFile, streetOrigin4, streetOrigin6)), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.origin.Start(exec.Command(path, "-c", conf, "-e", filepath.Join(s.dir, "nginx.log"))); err != nil {
		s.t.Fatal(err)
	}
	s.until("nginx serves", func() bool {
		c, err := s.origin.Dial(s.t.Context(), net.JoinHostPort(streetOrigin6, "443"))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	s.origin.Addr("eth0", uploads4+"/24")
	s.origin.Addr("eth0", uploads6+"/64")
	server := &http.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{a.pair}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sum, err := digestOf(r.Body)
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			fmt.Fprintf(w, "%s %s %s %v", host, r.Proto, sum, err)
		}),
	}
	for _, address := range []string{uploads4, uploads6} {
		l, err := s.origin.Listen(net.JoinHostPort(address, "443"))
		if err != nil {
			s.t.Fatal(err)
		}
		go server.ServeTLS(l, "", "")
	}
	s.t.Cleanup(func() { server.Close() })
	return a
}
