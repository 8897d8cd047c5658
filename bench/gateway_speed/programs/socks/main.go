// Socks passes connections on to one server through a SOCKS5 proxy, as bytes.
//
// Its arguments: the address to listen on, the proxy's, and the server's host and port.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strconv"
)

const (
	version  = 5
	noLogin  = 0
	connect  = 1
	ipv4     = 1
	hostName = 3
	ipv6     = 4
)

func main() {
	port, err := strconv.Atoi(os.Args[4])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go pass(client.(*net.TCPConn), os.Args[2], os.Args[3], uint16(port))
	}
}

func pass(client *net.TCPConn, proxy, host string, port uint16) {
	defer client.Close()
	server, err := dial(proxy, host, port)
	if err != nil {
		log.Print(err)
		return
	}
	defer server.Close()
	go func() {
		io.Copy(server, client)
		server.CloseWrite()
	}()
	io.Copy(client, server)
}

// dial asks the proxy for a connection to the server (RFC 1928).
func dial(proxy, host string, port uint16) (*net.TCPConn, error) {
	address, err := net.ResolveTCPAddr("tcp", proxy)
	if err != nil {
		return nil, err
	}
	server, err := net.DialTCP("tcp", nil, address)
	if err != nil {
		return nil, err
	}
	// The proxy answers the first three bytes with two, and then the rest.
	hello := []byte{version, 1, noLogin}
	request := append([]byte{version, connect, 0, hostName, byte(len(host))}, host...)
	request = binary.BigEndian.AppendUint16(request, port)
	reply := make([]byte, 4)
	for _, step := range []struct {
		sent []byte
		read int
	}{{hello, 2}, {request, 4}} {
		if _, err := server.Write(step.sent); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(server, reply[:step.read]); err != nil {
			return nil, err
		}
		if reply[0] != version || reply[1] != 0 {
			return nil, fmt.Errorf("the proxy refuses: % x", reply[:step.read])
		}
	}
	// Then the address that it has bound, and the port.
	length, known := map[byte]int64{ipv4: 4, ipv6: 16}[reply[3]]
	if !known {
		return nil, fmt.Errorf("an address of type %d", reply[3])
	}
	_, err = io.CopyN(io.Discard, server, length+2)
	return server, err
}
