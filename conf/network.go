package conf

// NetworkSettings are properties of the sockets the proxy uses.
type NetworkSettings struct {
	// TCPRecvBufsize is tcp_recv_bufsize, 0 for the system's default.
	TCPRecvBufsize int64
	// HTTPDAccelNoPMTUDisc is httpd_accel_no_pmtu_disc.
	HTTPDAccelNoPMTUDisc bool
	// BalanceOnMultipleIP is balance_on_multiple_ip.
	BalanceOnMultipleIP bool
	// MaximumSingleAddrTries is maximum_single_addr_tries, 1 to 10.
	MaximumSingleAddrTries int
	// RetryOnError is retry_on_error.
	RetryOnError bool
	// IncomingICPAverage, IncomingHTTPAverage and IncomingDNSAverage are
	// incoming_icp_average, incoming_http_average and incoming_dns_average.
	IncomingICPAverage, IncomingHTTPAverage, IncomingDNSAverage int
	// MinICPPollCnt, MinDNSPollCnt and MinHTTPPollCnt are min_icp_poll_cnt,
	// min_dns_poll_cnt and min_http_poll_cnt.
	MinICPPollCnt, MinDNSPollCnt, MinHTTPPollCnt int
}
