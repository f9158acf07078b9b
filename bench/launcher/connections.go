package main

import (
	"fmt"
	"io"
	"net"
	"strconv"
)

// So many connections are open at a time, which is enough to keep two processors busy.
const clients = 4

// serve accepts connections and closes each at once, until it is killed.
func serve(port string) error {
	listener, err := net.Listen("tcp4", ":"+port)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		connection.Close()
	}
}

// connect opens so many connections, a multiple of the clients, and closes each when the other side has.
func connect(address, count string) error {
	total, err := strconv.Atoi(count)
	if err != nil {
		return fmt.Errorf("reading the number of connections: %w", err)
	}
	failures := make(chan error, clients)
	for client := 0; client < clients; client++ {
		go func(count int) { failures <- connectRepeatedly(address, count) }(total / clients)
	}
	for client := 0; client < clients; client++ {
		if err := <-failures; err != nil {
			return err
		}
	}
	return nil
}

func connectRepeatedly(address string, count int) error {
	for ; count > 0; count-- {
		if err := connectOnce(address); err != nil {
			return err
		}
	}
	return nil
}

func connectOnce(address string) error {
	connection, err := net.Dial("tcp4", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := io.Copy(io.Discard, connection); err != nil {
		return err
	}
	// Ends with a reset, so that neither side keeps the ports for a minute.
	return connection.(*net.TCPConn).SetLinger(0)
}
