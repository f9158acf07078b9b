package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// The syscall package knows this number on some architectures only.
var setns = map[string]uintptr{"amd64": 308, "arm64": 268}

// enter moves the calling thread to a network namespace, given by its path. The caller has locked the thread, which
// hands the namespace on to the programs that it starts.
func enter(path string) error {
	number, known := setns[runtime.GOARCH]
	if !known {
		return fmt.Errorf("entering %s: no number of setns is known for %s", path, runtime.GOARCH)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, _, errno := syscall.Syscall(number, file.Fd(), syscall.CLONE_NEWNET, 0); errno != 0 {
		return fmt.Errorf("entering %s: %w", path, errno)
	}
	return nil
}
