package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
)

// A step is a number of calls that are started at once, or one after the other as a chain.
type step struct {
	Namespace string `json:"namespace"` // the path of the network namespace in which the programs run
	PauseMs   int    `json:"pauseMs"`   // before the first call, so that what the kernel put off is over
	Calls     []call `json:"calls"`
	Chain     *chain `json:"chain"`
	Refusal   string `json:"refusal"` // if not empty: each call has to fail, and this has to be in what it prints
}

type call struct {
	Program     string   `json:"program"`
	Parameters  []string `json:"parameters"`
	Environment []string `json:"environment"`
	Input       string   `json:"input"` // the file that becomes stdin
}

// A chain is what a runtime does with a list of plugins (CNI SPEC 1.1, section 3): each gets the result of the one before.
type chain struct {
	Attachment string `json:"attachment"` // its last result is kept under this name
	Begins     bool   `json:"begins"`     // false: each plugin gets the result that was kept
}

type sample struct {
	WallMs float64 `json:"wallMs"` // from before the first start to after the last end
	CPUMs  float64 `json:"cpuMs"`  // user and system time of all calls, and of what they started and waited for
	// Resident memory of the largest process. What a process had before exec, which is our memory, counts as its own:
	// so nothing is below the 3 MB that this program has.
	PeakKiB int64 `json:"peakKiB"`
}

// A meter is what the steps have in common.
type meter struct {
	namespace string
	output    *os.File          // what the calls print
	input     *os.File          // what a call of a chain reads
	results   map[string][]byte // by attachment
}

func measureAll(path string, result io.Writer) error {
	// The network namespace is the thread's.
	runtime.LockOSThread()
	plan, err := os.Open(path)
	if err != nil {
		return err
	}
	defer plan.Close()
	m := meter{results: map[string][]byte{}}
	for _, file := range []**os.File{&m.output, &m.input} {
		if *file, err = unnamedFile(); err != nil {
			return err
		}
		defer (*file).Close()
	}
	var samples []sample
	for decoder := json.NewDecoder(plan); ; {
		var next step
		if err := decoder.Decode(&next); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("reading a step: %w", err)
		}
		measured, err := m.measure(next)
		if err != nil {
			return err
		}
		samples = append(samples, measured)
	}
	// Not before: whoever reads it would wake up between the steps.
	return json.NewEncoder(result).Encode(samples)
}

func unnamedFile() (*os.File, error) {
	file, err := os.CreateTemp("", "launcher-")
	if err != nil {
		return nil, err
	}
	return file, os.Remove(file.Name())
}

func (m *meter) measure(next step) (sample, error) {
	inputs := make([]*os.File, len(next.Calls))
	for i, c := range next.Calls {
		input, err := os.Open(c.Input)
		if err != nil {
			return sample{}, err
		}
		defer input.Close()
		inputs[i] = input
	}
	if next.Namespace != m.namespace {
		if err := enter(next.Namespace); err != nil {
			return sample{}, err
		}
		m.namespace = next.Namespace
	}
	if err := empty(m.output); err != nil {
		return sample{}, err
	}
	time.Sleep(time.Duration(next.PauseMs) * time.Millisecond)

	var measured sample
	start := time.Now()
	var err error
	if next.Chain == nil {
		err = m.runAtOnce(next, inputs, &measured)
	} else {
		err = m.runChain(next, inputs, &measured)
	}
	measured.WallMs = milliseconds(time.Since(start).Nanoseconds())
	return measured, err
}

func (m *meter) runAtOnce(next step, inputs []*os.File, measured *sample) error {
	running := make(map[int]call, len(next.Calls))
	var failure error
	for i, c := range next.Calls {
		pid, err := m.start(c, inputs[i])
		if err != nil {
			failure = err
			break
		}
		running[pid] = c
	}
	for len(running) > 0 {
		pid, status, err := wait(measured)
		if err != nil {
			return err
		}
		if err := m.judge(running[pid], status, next.Refusal); err != nil && failure == nil {
			failure = err
		}
		delete(running, pid)
	}
	return failure
}

func (m *meter) runChain(next step, inputs []*os.File, measured *sample) error {
	result := m.results[next.Chain.Attachment]
	if next.Chain.Begins {
		result = nil
	}
	for i, c := range next.Calls {
		input := inputs[i]
		if result != nil {
			if err := m.addPreviousResult(input, result); err != nil {
				return fmt.Errorf("adding prevResult to %s: %w", c.Input, err)
			}
			input = m.input
		}
		if err := empty(m.output); err != nil {
			return err
		}
		if _, err := m.start(c, input); err != nil {
			return err
		}
		_, status, err := wait(measured)
		if err != nil {
			return err
		}
		if err := m.judge(c, status, next.Refusal); err != nil {
			return err
		}
		if next.Chain.Begins {
			result = m.printed()
		}
	}
	m.results[next.Chain.Attachment] = result
	return nil
}

// addPreviousResult writes a configuration, an object in JSON, with one member more.
func (m *meter) addPreviousResult(configuration *os.File, result []byte) error {
	text, err := io.ReadAll(configuration)
	if err != nil {
		return err
	}
	if err := empty(m.input); err != nil {
		return err
	}
	members := bytes.TrimPrefix(bytes.TrimSpace(text), []byte("{"))
	if _, err := fmt.Fprintf(m.input, `{"prevResult":%s,%s`, result, members); err != nil {
		return err
	}
	_, err = m.input.Seek(0, io.SeekStart)
	return err
}

func (m *meter) start(c call, input *os.File) (int, error) {
	pid, err := syscall.ForkExec(c.Program, append([]string{c.Program}, c.Parameters...), &syscall.ProcAttr{
		Env:   c.Environment,
		Files: []uintptr{input.Fd(), m.output.Fd(), m.output.Fd()},
	})
	if err != nil {
		return 0, fmt.Errorf("starting %s: %w", c.Program, err)
	}
	return pid, nil
}

// wait waits for any call, and adds what it cost.
func wait(measured *sample) (int, syscall.WaitStatus, error) {
	for {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		pid, err := syscall.Wait4(-1, &status, 0, &usage)
		if err == syscall.EINTR {
			continue
		} else if err != nil {
			return 0, 0, fmt.Errorf("waiting for a call: %w", err)
		}
		measured.CPUMs += milliseconds(usage.Utime.Nano() + usage.Stime.Nano())
		if usage.Maxrss > measured.PeakKiB {
			measured.PeakKiB = usage.Maxrss
		}
		return pid, status, nil
	}
}

// judge returns an error, with what was printed, unless the call ended as it should.
func (m *meter) judge(c call, status syscall.WaitStatus, refusal string) error {
	if refusal == "" && status == 0 {
		return nil
	}
	text := m.printed()
	if refusal != "" && status != 0 && bytes.Contains(text, []byte(refusal)) {
		return nil
	}
	return fmt.Errorf("calling %s with %q: %s\n%s", c.Program, c.Environment, describe(status), text)
}

func (m *meter) printed() []byte {
	text, _ := io.ReadAll(io.NewSectionReader(m.output, 0, 1<<20))
	return text
}

func empty(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.Seek(0, io.SeekStart)
	return err
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
