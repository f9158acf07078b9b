import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { SystemCallError } from '../../src/linux/errno.ts';
import { lock } from '../../src/linux/flock.ts';

const past = 0;

function temporaryFile(t: ExecutionContext): string {
	const directory = mkdtempSync(`${tmpdir()}/flock-`);
	t.teardown(() => rmSync(directory, { recursive: true }));
	return `${directory}/file`;
}

test('a lock that another descriptor holds is not had, and had once that is closed', (t) => {
	const path = temporaryFile(t);
	const holder = openSync(path, 'w');
	const other = openSync(path, 'r');
	t.true(lock(holder, past));
	t.true(lock(holder, past), 'by the same descriptor again');
	t.false(lock(other, past));
	closeSync(holder);
	t.true(lock(other, past));
	closeSync(other);
});

test('waiting for a lock ends at the deadline', (t) => {
	const path = temporaryFile(t);
	const holder = openSync(path, 'w');
	const other = openSync(path, 'r');
	lock(holder, past);
	const start = performance.now();
	t.false(lock(other, start + 50));
	const waited = performance.now() - start;
	t.true(waited >= 50 && waited < 1000, `waited ${waited} ms`);
	closeSync(holder);
	closeSync(other);
});

test('the lock of a process that is killed is had at once', async (t) => {
	const path = temporaryFile(t);
	const descriptor = openSync(path, 'w');
	const command = ['--no-fork', path, 'sh', '-c', 'echo locked; exec sleep 60'];
	const holder = spawn('flock', command, { stdio: ['ignore', 'pipe', 'inherit'] });
	await once(holder.stdout, 'data');
	t.false(lock(descriptor, past));
	holder.kill('SIGKILL');
	t.true(lock(descriptor, performance.now() + 10_000));
	closeSync(descriptor);
});

test('a lock on what is no open file is an error with its name', (t) => {
	const error = t.throws(() => lock(9999, past), { instanceOf: SystemCallError });
	t.is(error?.code, 'EBADF');
});
