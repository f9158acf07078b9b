// What somebody sees who runs the executable by hand.
import test from 'ava';
import { executable, invoke } from '../helpers/cni.ts';
import { run } from '../helpers/command.ts';
import { createHost } from '../helpers/host.ts';

test('no CNI_COMMAND: three lines that say what this is, where it goes, and what --help offers', (t) => {
	const { status, stdout, stderr } = invoke(createHost(t), {});
	t.is(status, 0);
	t.is(stdout, '');
	const lines = stderr.trimEnd().split('\n');
	t.is(lines.length, 3, stderr);
	t.regex(stderr, /CNI/);
	t.regex(stderr, /--help/);
	t.regex(stderr, /1\.1\.0/);
});

test('--help says how it is called', (t) => {
	const { status, stdout, stderr } = run([executable, '--help']);
	t.is(status, 0);
	t.is(stderr, '');
	for (const word of ['CNI_COMMAND', '--version', 'mesos-overlay', 'leases release'])
		t.true(stdout.includes(word), word);
});

test('--help of a command says what it takes', (t) => {
	const { status, stdout, stderr } = run([executable, 'leases', 'import', '--help']);
	t.is(status, 0);
	t.is(stderr, '');
	for (const word of ['--from DIR', '--dry-run', 'leases export']) t.true(stdout.includes(word), word);
});

test('a command that there is not, and one that is called wrongly', (t) => {
	t.like(run([executable, 'laeses']), {
		status: 2,
		stdout: '',
		stderr: 'mesos-overlay: unknown command "laeses" (did you mean "leases"?); "mesos-overlay --help" lists what there is\n',
	});
	t.like(run([executable, 'leases', '--jsn']), {
		status: 2,
		stdout: '',
		stderr: 'mesos-overlay: leases list: unknown option "--jsn" (did you mean "--json"?); "mesos-overlay leases list --help" says more\n',
	});
	t.is(run([executable, 'leases', '--network', '../etc']).status, 2);
});

test('a reader that closes its end early is no failure to talk about', (t) => {
	const { stderr } = run(['sh', '-c', `{ sleep 0.3; '${executable}' --help; echo $? >&2; } | true`]);
	t.is(stderr, '1\n');
});

test('--version is one line', (t) => {
	const { status, stdout, stderr } = run([executable, '--version']);
	t.is(status, 0);
	t.is(stderr, '');
	t.regex(stdout, /^(?:mesos-overlay )?\d+\.\d+\.\d+\n$/);
});

test('an unknown option fails, and says what there is', (t) => {
	const { status, stdout, stderr } = run([executable, '--no-such-option']);
	t.not(status, 0);
	t.is(stdout, '');
	t.regex(stderr, /--no-such-option/);
	t.regex(stderr, /--help/);
});
