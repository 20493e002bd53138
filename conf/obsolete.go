package conf

// obsolete says what became of directives of other releases. They are unknown, as
// they are to 2.6; this is for the explanation only.
var obsolete = map[string]string{
	"httpd_accel_host":             "It is from 2.5. Interception is an option now: http_port PORT transparent. Accelerators: http_port PORT accel defaultsite=HOST.",
	"httpd_accel_port":             "It is from 2.5. Use http_port PORT transparent, or accel with vport=.",
	"httpd_accel_single_host":      "It is from 2.5. Accelerators name servers with cache_peer … originserver.",
	"httpd_accel_with_proxy":       "It is from 2.5. Give proxy and accelerator a http_port each.",
	"httpd_accel_uses_host_header": "It is from 2.5. It is vhost of http_port now; transparent ports look at the header anyway.",
	"wais_relay_host":              "It was removed in STABLE16.",
	"wais_relay_port":              "It was removed in STABLE16.",
	"authenticate_program":         "It is from 2.4. Use auth_param basic program.",
	"authenticate_children":        "It is from 2.4. Use auth_param basic children.",
	"proxy_auth_realm":             "It is from 2.4. Use auth_param basic realm.",
	"pid_file":                     "The name is pid_filename.",
	"reply_header_access":          "It is from 3.1. Use header_access.",
	"request_header_access":        "It is from 3.1. Use header_access.",
	"dns_v4_first":                 "It is from 3.1; there is nothing to choose here.",
	"url_rewrite_bypass":           "It is from later releases. Use redirector_bypass.",
	"adaptation_access":            "It is from 3.0; there is no ICAP or eCAP here.",
	"icap_enable":                  "It is from 3.0; there is no ICAP here.",
	"ssl_bump":                     "It is from 3.1; TLS is not opened here.",
	"sslproxy_cert_error":          "It is from 3.1.",
	"workers":                      "It is from 3.2. All processors are used anyway.",
	"cache_host":                   "It is from 1.1. Use cache_peer.",
	"maximum_object_size_in_mem":   "The name is maximum_object_size_in_memory.",
}
