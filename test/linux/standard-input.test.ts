import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';

// Reads all of stdin in pieces of three bytes, and tells what it got, or the error.
const program = `
	import { readStdin } from ${JSON.stringify(new URL('../../src/linux/standard-input.ts', import.meta.url).href)};
	const [milliseconds] = process.argv.slice(1);
	const deadline = performance.now() + Number(milliseconds);
	const pieces = [];
	const buffer = Buffer.alloc(3);
	try {
		for (let count; (count = readStdin(buffer, deadline)) > 0; ) pieces.push(buffer.toString('utf8', 0, count));
		console.log(JSON.stringify(pieces));
	} catch (error) {
		console.log(error.name, error.code, error.message);
	}
`;
const argv = (milliseconds: number) => ['--no-warnings', '--input-type=module', '-e', program, String(milliseconds)];

function readFrom(t: ExecutionContext, stdin: number | 'ignore' | 'pipe', input = ''): string {
	const { stdout, stderr, status } = spawnSync(process.execPath, argv(5000), {
		stdio: [stdin, 'pipe', 'pipe'],
		input,
		encoding: 'utf8',
	});
	t.is(status, 0, stderr);
	return stdout.trim();
}

function fileWith(t: ExecutionContext, text: string): number {
	const directory = mkdtempSync(`${tmpdir()}/stdin-`);
	t.teardown(() => rmSync(directory, { recursive: true }));
	writeFileSync(`${directory}/file`, text);
	const descriptor = openSync(`${directory}/file`, 'r');
	t.teardown(() => closeSync(descriptor));
	return descriptor;
}

test('a file is read to its end, as Mesos gives it', (t) => {
	t.is(readFrom(t, fileWith(t, '{"a":1}')), '["{\\"a","\\":1","}"]');
	t.is(readFrom(t, fileWith(t, '')), '[]');
});

test('a pipe is read to its end, as libcni gives it', (t) => {
	t.is(readFrom(t, 'pipe', 'abcdefg'), '["abc","def","g"]');
	t.is(readFrom(t, 'pipe'), '[]');
	t.is(readFrom(t, 'ignore'), '[]', '/dev/null');
});

test('what comes late is waited for', async (t) => {
	const child = spawn(process.execPath, argv(10_000), { stdio: ['pipe', 'pipe', 'inherit'] });
	const said = once(child.stdout, 'data');
	child.stdin.write('ab');
	setTimeout(() => child.stdin.end('cd'), 300);
	const [output] = (await said) as [Buffer];
	t.is((JSON.parse(output.toString()) as string[]).join(''), 'abcd');
});

test('a pipe on which nothing comes is given up at the deadline', async (t) => {
	const child = spawn(process.execPath, argv(200), { stdio: ['pipe', 'pipe', 'inherit'] });
	const [output] = (await once(child.stdout, 'data')) as [Buffer];
	t.is(output.toString().trim(), 'SystemCallError ETIMEDOUT waiting for its end: ETIMEDOUT');
	child.stdin.end();
});

test('a directory in place of a file', (t) => {
	const { stdout } = spawnSync('sh', ['-c', 'exec "$0" "$@" </', process.execPath, ...argv(1000)], {
		encoding: 'utf8',
	});
	t.regex(stdout, /^SystemCallError EISDIR /);
});
