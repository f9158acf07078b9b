// Starts programs and measures them: `launcher FILE`. The file holds steps, JSON objects one after the other; on stdout
// comes a JSON array with a sample for each. The programs run in the launcher's own network namespace.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// A step is a number of calls that are started at once.
type step struct {
	PauseMs int    `json:"pauseMs"` // before the first call, so that what the kernel put off is over
	Calls   []call `json:"calls"`
}

type call struct {
	Program     string   `json:"program"`
	Parameters  []string `json:"parameters"`
	Environment []string `json:"environment"`
	Input       string   `json:"input"` // the file that becomes stdin
}

type sample struct {
	WallMs float64 `json:"wallMs"` // from before the first start to after the last end
	CPUMs  float64 `json:"cpuMs"`  // user and system time of all calls, and of what they started and waited for
	// Resident memory of the largest process. What a process had before exec, which is our memory, counts as its own:
	// so nothing is below the 3 MB that this program has.
	PeakKiB int64 `json:"peakKiB"`
}

func main() {
	if err := measureAll(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measureAll(path string, result io.Writer) error {
	plan, err := os.Open(path)
	if err != nil {
		return err
	}
	defer plan.Close()
	output, err := os.CreateTemp("", "launcher-")
	if err != nil {
		return err
	}
	defer output.Close()
	if err := os.Remove(output.Name()); err != nil {
		return err
	}
	var samples []sample
	for decoder := json.NewDecoder(plan); ; {
		var next step
		if err := decoder.Decode(&next); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("reading a step: %w", err)
		}
		measured, err := measure(next, output)
		if err != nil {
			return err
		}
		samples = append(samples, measured)
	}
	// Not before: whoever reads it would wake up between the steps.
	return json.NewEncoder(result).Encode(samples)
}

func measure(next step, output *os.File) (sample, error) {
	inputs := make([]*os.File, len(next.Calls))
	for i, c := range next.Calls {
		input, err := os.Open(c.Input)
		if err != nil {
			return sample{}, err
		}
		defer input.Close()
		inputs[i] = input
	}
	if err := output.Truncate(0); err != nil {
		return sample{}, err
	}
	if _, err := output.Seek(0, io.SeekStart); err != nil {
		return sample{}, err
	}
	time.Sleep(time.Duration(next.PauseMs) * time.Millisecond)

	var measured sample
	var failure error
	running := make(map[int]call, len(next.Calls))
	start := time.Now()
	for i, c := range next.Calls {
		pid, err := syscall.ForkExec(c.Program, append([]string{c.Program}, c.Parameters...), &syscall.ProcAttr{
			Env:   c.Environment,
			Files: []uintptr{inputs[i].Fd(), output.Fd(), output.Fd()},
		})
		if err != nil {
			failure = fmt.Errorf("starting %s: %w", c.Program, err)
			break
		}
		running[pid] = c
	}
	for len(running) > 0 {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		pid, err := syscall.Wait4(-1, &status, 0, &usage)
		if err == syscall.EINTR {
			continue
		} else if err != nil {
			return sample{}, fmt.Errorf("waiting for %d calls: %w", len(running), err)
		}
		measured.CPUMs += milliseconds(usage.Utime.Nano() + usage.Stime.Nano())
		if usage.Maxrss > measured.PeakKiB {
			measured.PeakKiB = usage.Maxrss
		}
		if status != 0 && failure == nil {
			failure = fmt.Errorf("calling %s with %q: %s", running[pid].Program, running[pid].Environment, describe(status))
		}
		delete(running, pid)
	}
	measured.WallMs = milliseconds(time.Since(start).Nanoseconds())
	if failure == nil {
		return measured, nil
	}
	text, _ := io.ReadAll(io.NewSectionReader(output, 0, 1<<20))
	return sample{}, fmt.Errorf("%w\n%s", failure, text)
}

func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}

func milliseconds(nanoseconds int64) float64 {
	return float64(nanoseconds) / 1e6
}
