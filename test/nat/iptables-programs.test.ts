import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { findProgram, runProgram, runRestore } from '../../src/nat/iptables-programs.ts';
import { withLock } from '../../src/nat/record-files.ts';
import { refuses } from '../cni/assertions.ts';

/** A directory with a program that does what a script says. */
function directoryWith(t: ExecutionContext, script: string): string {
	const directory = mkdtempSync(`${tmpdir()}/programs-`);
	t.teardown(() => rmSync(directory, { recursive: true }));
	writeFileSync(`${directory}/iptables-restore`, `#!/bin/sh\n${script}\n`);
	chmodSync(`${directory}/iptables-restore`, 0o755);
	return directory;
}

const within = (path: string, milliseconds = 5000) => ({ path, deadline: performance.now() + milliseconds });

test('a program gets its words and its input as they are, and of the environment no more than a path', (t) => {
	const directory = directoryWith(t, '/usr/bin/printf "%s," "$@"; /bin/cat; /usr/bin/env | /bin/grep -v ^_= ');
	const printed = runProgram(within(directory), 'iptables-restore', ['a b', '$(id)', '*'], 'nat;\n');
	t.deepEqual(
		printed.split('\n').filter((line) => !/^(?:PWD|SHLVL)=|^$/u.test(line)),
		['a b,$(id),*,nat;', `PATH=${directory}`],
	);
});

test('the first directory counts in which the program can be executed', (t) => {
	const [one, other] = [directoryWith(t, ''), directoryWith(t, '')];
	chmodSync(`${one}/iptables-restore`, 0o644);
	t.is(findProgram('iptables-restore', `/nowhere:${one}:${other}`), `${other}/iptables-restore`);
	t.is(findProgram('iptables-save', `${one}:${other}`), undefined);
});

test('a program that is missing is named, with the remedy', (t) => {
	refuses(
		t,
		() => runProgram(within('/nowhere:/none'), 'ip6tables-save', []),
		100,
		'running ip6tables-save: it is not in /nowhere:/none; install iptables, or set natBackend to "nftables"',
	);
});

test('what a program says when it fails is in the message', (t) => {
	const failing = directoryWith(t, 'echo "iptables-restore: line 2 failed" >&2; echo "Try --help" >&2; exit 1');
	refuses(
		t,
		() => runProgram(within(failing), 'iptables-restore', []),
		100,
		'running iptables-restore: exit status 1: "iptables-restore: line 2 failed; Try --help"',
	);
	refuses(t, () => runProgram(within(directoryWith(t, 'exit 3')), 'iptables-restore', []), 100, 'exit status 3');
	refuses(t, () => runProgram(within(directoryWith(t, 'kill $$')), 'iptables-restore', []), 100, 'killed by SIGTERM');
});

test('a program that does not end is killed in time', (t) => {
	const directory = directoryWith(t, 'exec /bin/sleep 60');
	const begin = performance.now();
	refuses(
		t,
		() => runProgram(within(directory, 200), 'iptables-restore', []),
		11,
		'running iptables-restore: killed after 0.2 s; "timeout" in the configuration gives more seconds',
	);
	t.true(performance.now() - begin < 5000);
	refuses(t, () => runProgram(within(directory, -1), 'iptables-restore', []), 11, 'no time was left for it');
});

test('what a killed call has started keeps the lock until it is done', (t) => {
	const directory = directoryWith(t, '/bin/sleep 0.5 >/dev/null 2>&1 &');
	const lock = (milliseconds: number) => withLock(directory, performance.now() + milliseconds, () => 'locked');
	withLock(directory, performance.now() + 1000, () => runProgram(within(directory), 'iptables-restore', []));
	refuses(t, () => lock(50), 11, 'other calls are changing the rules of this host');
	t.is(lock(10_000), 'locked');
});

test('others that change tables are waited for, as long as there is time', (t) => {
	const directory = directoryWith(t, 'echo "$*" >"$0.words"');
	runRestore(within(directory, 7500), 'iptables-restore', '');
	t.is(readFileSync(`${directory}/iptables-restore.words`, 'utf8'), '--noflush -w 7\n');
	const locked = directoryWith(t, 'echo "Another app is currently holding the xtables lock." >&2; exit 4');
	refuses(t, () => runRestore(within(locked), 'iptables-restore', ''), 11, 'another program holds the xtables lock');
});
