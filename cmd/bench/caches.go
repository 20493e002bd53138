package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// The others' configurations as caches: all keep what the origin lets them keep,
// and all log each request at once, but for trafficserver. That one gathers lines
// whatever it is told; logBuffer is the least it works with.
const logBuffer = 1024 // octets, a handful of lines

// cacheMode is what a cache measurement needs of a configuration.
type cacheMode int

const (
	noCache  cacheMode = iota
	inMemory           // objects of up to 64 KB are answered from memory
	fromDisk           // they are answered from a directory's files
)

// megabytes on disk and in memory, for every contender alike.
const (
	diskMegabytes   = 512
	memoryMegabytes = 256
)

func squidCacheLines(dir string, mode cacheMode) string {
	if mode == inMemory {
		return fmt.Sprintf("cache_mem %d MB\nmaximum_object_size_in_memory 128 KB\n", memoryMegabytes)
	}
	return fmt.Sprintf("cache_dir ufs %s/cache %d 16 16\ncache_mem 1 MB\nmaximum_object_size_in_memory 0 KB\n", dir, diskMegabytes)
}

func squidCacheConf(dir string, p ports) string {
	lines := squidCacheLines(dir, p.mode)
	if p.mode == inMemory {
		lines += fmt.Sprintf("cache_dir null %s\n", dir)
	}
	return squidText(dir, p, only26, lines)
}

func squid5CacheConf(dir string, p ports) string {
	return squidText(dir, p, "", squidCacheLines(dir, p.mode))
}

func nginxCacheConf(dir string, p ports) string {
	return fmt.Sprintf(nginxCommon, dir, p.listen, p.origin,
		fmt.Sprintf("proxy_cache_path %s/cache levels=1:2 keys_zone=z:16m max_size=%dm;", dir, diskMegabytes),
		"proxy_cache z; sendfile on; open_file_cache max=4000; open_file_cache_valid 600s;")
}

func haproxyCacheConf(dir string, p ports) string {
	return fmt.Sprintf(haproxyCommon, dir, p.listen, p.tcp, p.origin, p.tunnel,
		fmt.Sprintf("cache c\n  total-max-size %d\n  max-object-size 131072\n  max-age 3600\n", memoryMegabytes),
		"  http-request cache-use c\n  http-response cache-store c\n")
}

// trafficServerConf writes the folder of files that traffic_server reads.
func trafficServerConf(dir string, p ports) string {
	for _, d := range []string{"etc", "cache", "log", "run", "data"} {
		os.MkdirAll(filepath.Join(dir, d), 0o777)
		os.Chmod(filepath.Join(dir, d), 0o777)
	}
	for _, name := range []string{"plugin.config", "parent.config", "hosting.config", "volume.config", "cache.config",
		"splitdns.config", "ssl_multicert.config"} {
		os.WriteFile(filepath.Join(dir, "etc", name), nil, 0o644)
	}
	ram := 0
	if p.mode == inMemory {
		ram = memoryMegabytes << 20
	}
	for name, text := range map[string]string{
		"storage.config": fmt.Sprintf("%s/cache %dM\n", dir, diskMegabytes),
		"remap.config":   fmt.Sprintf("map / http://127.0.0.1:%d/\n", p.origin),
		"ip_allow.yaml":  "ip_allow:\n  - apply: in\n    ip_addrs: 127.0.0.1\n    action: allow\n    methods: ALL\n",
		"logging.yaml":   "logging:\n  formats:\n    - name: squid\n      format: '%<cqtq> %<ttms> %<chi> %<crc>/%<pssc> %<psql> %<cqhm> %<cquc> %<caun> %<phr>/%<pqsn> %<psct>'\n  logs:\n    - filename: access\n      format: squid\n",
		"records.config": fmt.Sprintf("CONFIG proxy.config.http.server_ports STRING %d:ip-in=127.0.0.1\n", p.listen) +
			"CONFIG proxy.config.exec_thread.autoconfig INT 0\nCONFIG proxy.config.exec_thread.limit INT 2\n" +
			"CONFIG proxy.config.http.keep_alive_no_activity_timeout_in INT 600\n" +
			"CONFIG proxy.config.admin.user_id STRING nobody\n" +
			fmt.Sprintf("CONFIG proxy.config.log.log_buffer_size INT %d\nCONFIG proxy.config.log.max_secs_per_buffer INT 1\n", logBuffer) +
			fmt.Sprintf("CONFIG proxy.config.cache.ram_cache.size INT %d\n", ram),
	} {
		os.WriteFile(filepath.Join(dir, "etc", name), []byte(text), 0o644)
	}
	root := ""
	for _, pair := range [][2]string{{"prefix", "/usr"}, {"exec_prefix", "/usr"}, {"bindir", "/usr/bin"}, {"sbindir", "/usr/sbin"},
		{"includedir", "/usr/include"}, {"libdir", "/usr/lib/trafficserver"}, {"libexecdir", "/usr/lib/trafficserver/modules"},
		{"sysconfdir", dir + "/etc"}, {"datadir", dir + "/data"}, {"localstatedir", dir + "/run"}, {"runtimedir", dir + "/run"},
		{"logdir", dir + "/log"}, {"cachedir", dir + "/cache"}} {
		root += pair[0] + ": " + pair[1] + "\n"
	}
	return root
}

// runroot names the file that trafficServerConf's text is written to: the program
// wants it to be called so.
func trafficServerArgs(conf string) []string { return []string{"--run-root=" + conf} }
