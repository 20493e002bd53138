// Command squid is the proxy.
package main

func main() {}
