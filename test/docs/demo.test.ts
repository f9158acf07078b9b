// The demo shows what it promises, and leaves the machine as it found it, also when it is stopped.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import test from 'ava';
import { systemPath } from '../helpers/command.ts';
import { projectDirectory } from './markdown.ts';

/** What the demo makes on the machine itself. */
const made = ['/run/netns/demo-host', '/run/netns/demo-a', '/run/netns/demo-b', '/run/mesos-overlay-demo'];

/** Of the machine's own network of this name. */
const record = '/run/mesos-overlay/nat/networks/dcos';

/** Runs the demo, and does something at its first sign of life; gives all that it printed. */
async function runDemo(started: (demo: ChildProcess) => void = () => {}) {
	const parameters = ['--no-warnings', 'build/demo.ts'];
	const demo = spawn(process.execPath, parameters, { cwd: projectDirectory, env: { PATH: systemPath } });
	let output = '';
	for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()));
	demo.stdout.once('data', () => started(demo));
	await once(demo, 'close');
	return { status: demo.exitCode, output };
}

test.serial('the demo succeeds', async (t) => {
	const written = () => statSync(record, { throwIfNoEntry: false })?.mtimeMs;
	const before = written();
	const { status, output } = await runDemo();
	t.is(status, 0, output);
	for (const shown of ['"ip": "9.0.1.2/27"', '"ip": "9.0.1.3/27"', 'inet 9.0.1.2/27', '"address":"9.0.1.3"']) {
		t.true(output.includes(shown), shown);
	}
	t.is(output.match(/ 0% packet loss/g)?.length, 2, output);
	t.deepEqual(made.filter(existsSync), []);
	t.is(written(), before);
});

test.serial('a demo that is stopped leaves nothing', async (t) => {
	const { status, output } = await runDemo((demo) => demo.kill('SIGINT'));
	t.is(status, 1, output);
	t.true(output.includes('stopped by SIGINT'), output);
	t.deepEqual(made.filter(existsSync), []);
});
