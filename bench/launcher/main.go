// Starts programs and measures them: `launcher FILE`. The file holds steps, JSON objects one after the other; on stdout
// comes a JSON array with a sample for each. Two more commands are what it measures itself: `launcher serve PORT` and
// `launcher connect ADDRESS:PORT COUNT`.
package main

import (
	"fmt"
	"os"
)

func main() {
	var err error
	switch parameters := os.Args[1:]; {
	case len(parameters) == 1:
		err = measureAll(parameters[0], os.Stdout)
	case len(parameters) == 2 && parameters[0] == "serve":
		err = serve(parameters[1])
	case len(parameters) == 3 && parameters[0] == "connect":
		err = connect(parameters[1], parameters[2])
	default:
		err = fmt.Errorf("usage: launcher FILE | serve PORT | connect ADDRESS:PORT COUNT")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
