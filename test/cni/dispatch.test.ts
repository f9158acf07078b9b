import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { dispatch } from '../../src/cni/dispatch.ts';
import { CniError } from '../../src/cni/errors.ts';
import type { Plugin } from '../../src/cni/plugin.ts';
import type { Request } from '../../src/cni/request.ts';
import type { Result } from '../../src/cni/result.ts';
import { minimal } from './requests.ts';

const attached: Result = { interfaces: [], ips: [{ address: '9.0.1.2/27' }], routes: [], dns: {} };
const attachment = { CNI_CONTAINERID: 'c1', CNI_NETNS: '/run/netns/c1', CNI_IFNAME: 'eth0' };

/** A plugin that notes its calls; `overrides` say what a command does instead of nothing. */
function recorder(overrides: Partial<Plugin> = {}) {
	const calls: Request[] = [];
	const note = (command: 'add' | 'del' | 'check' | 'gc' | 'status') => (request: Request) => {
		calls.push(request);
		return overrides[command]?.(request);
	};
	const plugin = {
		about: 'notes its calls',
		add: (request: Request) => note('add')(request) ?? attached,
		del: note('del'),
		check: note('check'),
		gc: note('gc'),
		status: note('status'),
	} as Plugin;
	return { plugin, calls };
}

/** Delivers all of the bytes, however large the buffers are. */
function readerOf(bytes: Buffer): (buffer: Uint8Array) => number {
	let at = 0;
	return (buffer) => {
		const count = bytes.copy(buffer, 0, at);
		at += count;
		return count;
	};
}

interface Call {
	environment?: Record<string, string | undefined>;
	stdin?: unknown;
	plugin?: Partial<Plugin>;
	write?: (text: string) => void;
}

async function call(
	command: string | undefined,
	{ environment = attachment, stdin = minimal, plugin = {}, write }: Call = {},
) {
	const recorded = recorder(plugin);
	const written: string[] = [];
	const bytes =
		typeof stdin === 'string' || stdin instanceof Uint8Array
			? Buffer.from(stdin)
			: Buffer.from(JSON.stringify(stdin));
	const status = await dispatch(
		recorded.plugin,
		{ CNI_COMMAND: command, ...environment },
		{ readStdin: readerOf(bytes), writeStdout: write ?? ((text) => written.push(text)), note: () => {} },
	);
	const stdout = written.join('');
	return { status, calls: recorded.calls, stdout, json: stdout === '' ? undefined : JSON.parse(stdout) };
}

test('ADD prints one object, indented by four, with a newline at its end', async (t) => {
	const { status, stdout, calls } = await call('ADD');
	t.is(status, 0);
	t.is(stdout, `${JSON.stringify({ cniVersion: '1.1.0', ips: attached.ips }, undefined, 4)}\n`);
	t.deepEqual(
		calls.map(({ command, containerId, ifname, netns }) => [command, containerId, ifname, netns]),
		[['ADD', 'c1', 'eth0', '/run/netns/c1']],
	);
});

for (const command of ['DEL', 'CHECK', 'GC', 'STATUS'] as const) {
	test(`${command} prints nothing`, async (t) => {
		const { status, stdout, calls } = await call(command);
		t.is(status, 0);
		t.is(stdout, '');
		t.deepEqual(
			calls.map((request) => request.command),
			[command],
		);
	});
}

test('a plugin may answer later', async (t) => {
	const { json } = await call('ADD', { plugin: { add: async () => attached } });
	t.deepEqual(json.ips, attached.ips);
	const failing = await call('STATUS', {
		plugin: { status: () => Promise.reject(new CniError(50, 'no address left')) },
	});
	t.deepEqual(failing.json, { cniVersion: '1.1.0', code: 50, msg: 'no address left' });
});

test('when Mesos calls, its shape is there', async (t) => {
	const { json } = await call('ADD', { stdin: { ...minimal, args: { 'org.apache.mesos': {} } } });
	t.deepEqual(json, { cniVersion: '1.1.0', ip4: { ip: '9.0.1.2/27' }, ips: attached.ips });
});

test('everything must be over when the time of the configuration is', async (t) => {
	for (const [stdin, seconds] of [
		[minimal, 30],
		[{ ...minimal, timeout: 5 }, 5],
	] as const) {
		const before = performance.now();
		const { calls } = await call('ADD', { stdin });
		const left = (calls[0]?.deadline ?? 0) - before;
		t.true(left >= seconds * 1000 && left < seconds * 1000 + 5000, `${left}`);
	}
});

test('stdin gets the time that a call has by default', async (t) => {
	const before = performance.now();
	let deadline = 0;
	const late = (_buffer: Uint8Array, until: number): number => {
		deadline = until;
		throw new CniError(11, 'reading stdin: late');
	};
	t.is(
		await dispatch(
			recorder().plugin,
			{ CNI_COMMAND: 'ADD', ...attachment },
			{ readStdin: late, writeStdout() {}, note() {} },
		),
		1,
	);
	t.true(deadline >= before + 30_000 && deadline < before + 35_000);
});

for (const [title, command, given, code, cniVersion, msg] of [
	['an unknown command', 'UPDATE', { stdin: 'unread' }, 4, '1.1.0', 'unknown CNI_COMMAND: UPDATE'],
	[
		'missing variables before stdin',
		'ADD',
		{ environment: {}, stdin: '' },
		4,
		'1.1.0',
		'required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME] missing',
	],
	['no stdin', 'ADD', { stdin: '' }, 6, '1.1.0', 'no network configuration on stdin'],
	[
		'a list on stdin',
		'DEL',
		{ stdin: '[]' },
		6,
		'1.1.0',
		'decoding the network configuration on stdin: expected an object, got a list',
	],
	['a missing name before a bad version', 'ADD', { stdin: { cniVersion: '9' } }, 7, '1.1.0', 'missing network name'],
	['a missing name', 'ADD', { stdin: { cniVersion: '0.3.1' } }, 7, '0.3.1', 'missing network name'],
	['a bad version', 'ADD', { stdin: { ...minimal, cniVersion: '9' } }, 1, '1.1.0', 'incompatible CNI versions'],
	[
		'a version without the command',
		'GC',
		{ stdin: { ...minimal, cniVersion: '1.0.0' } },
		1,
		'1.0.0',
		'config version does not allow GC',
	],
	[
		'a bad timeout',
		'ADD',
		{ stdin: { ...minimal, timeout: 0 } },
		7,
		'1.1.0',
		'reading timeout: expected a whole number from 1 to 600, got 0',
	],
] as const) {
	test(`checked before the plugin works: ${title}`, async (t) => {
		const { status, calls, json } = await call(command, given);
		t.is(status, 1);
		t.deepEqual(calls, []);
		t.like(json, { cniVersion, code, msg });
	});
}

test('a DEL whose configuration became unusable is still done', async (t) => {
	const stdin = { name: 'dcos', cniVersion: '9', timeout: 'x', ipam: 5, prevResult: { ips: 5 }, dns: true };
	const { status, calls } = await call('DEL', {
		environment: { ...attachment, CNI_NETNS: undefined, CNI_ARGS: 'x' },
		stdin,
	});
	t.is(status, 0);
	t.is(calls[0]?.configuration.name, 'dcos');
});

for (const command of ['add', 'del', 'check', 'gc', 'status'] as const) {
	test(`${command}: what the plugin throws is printed, in the version of the configuration, without a stack`, async (t) => {
		const fail = () => {
			throw new TypeError('x is not a function');
		};
		const { status, stdout } = await call(command.toUpperCase(), { plugin: { [command]: fail } });
		t.is(status, 1);
		t.deepEqual(JSON.parse(stdout), { cniVersion: '1.1.0', code: 199, msg: 'x is not a function' });
	});
}

test('an ADD that the version cannot tell of is taken back and refused', async (t) => {
	const { status, json, calls } = await call('ADD', {
		stdin: { ...minimal, cniVersion: '0.2.0' },
		plugin: { add: () => ({ ...attached, ips: [] }) },
	});
	t.is(status, 1);
	t.like(json, { cniVersion: '0.2.0', code: 7, msg: 'cannot convert: no valid IP addresses' });
	t.deepEqual(
		calls.map((request) => request.command),
		['ADD', 'DEL'],
	);
});

test('an ADD whose result cannot be written is taken back, with time left for it, and nothing more is written', async (t) => {
	let writes = 0;
	const write = () => {
		writes += 1;
		throw new Error('EPIPE');
	};
	const { status, calls } = await call('ADD', { stdin: { ...minimal, timeout: 1 }, write });
	t.is(status, 1);
	t.is(writes, 1);
	t.deepEqual(
		calls.map((request) => request.command),
		['ADD', 'DEL'],
	);
	t.true((calls[1]?.deadline ?? 0) > performance.now() + 5000);
});

test('when taking back fails too, both errors are told', async (t) => {
	const del = () => {
		throw new CniError(107, 'removing lease 9.0.1.2: EROFS');
	};
	const { json } = await call('ADD', {
		stdin: { ...minimal, cniVersion: '0.2.0' },
		plugin: { add: () => ({ ...attached, ips: [] }), del },
	});
	t.is(json.msg, 'cannot convert: no valid IP addresses; removing lease 9.0.1.2: EROFS');
});

test('an error that cannot be written leaves the exit status', async (t) => {
	const write = () => {
		throw new Error('EPIPE');
	};
	t.is((await call('ADD', { stdin: '', write })).status, 1);
});

test('whatever comes, at most one object is printed, and it agrees with the exit status', async (t) => {
	const word = fc.constantFrom('ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION', 'X', undefined);
	const variable = fc.constantFrom('c1', 'eth0', '', 'a b', undefined);
	const environment = fc.record({
		CNI_CONTAINERID: variable,
		CNI_NETNS: variable,
		CNI_IFNAME: variable,
		CNI_ARGS: variable,
	});
	const json = fc.json().map((text) => text.replace('"a"', '"name"'));
	const document = fc.record({
		name: fc.constant('dcos'),
		cniVersion: fc.constantFrom('0.2.0', '1.1.0', '9', 5),
		ipam: fc.jsonValue(),
	});
	const stdin = fc.oneof(fc.uint8Array(), json, document);
	await fc.assert(
		fc.asyncProperty(word, environment, stdin, async (command, variables, input) => {
			const { status, json: answer } = await call(command, { environment: variables, stdin: input });
			t.is(status === 1, typeof answer?.code === 'number');
			t.not(answer?.code, 199);
		}),
		{ numRuns: 500 },
	);
});

const source = (module: string) => JSON.stringify(new URL(`../../src/${module}.ts`, import.meta.url).href);
const script = (body: string) => [
	'--no-warnings',
	'--input-type=module',
	'--eval',
	`import { dispatch } from ${source('cni/dispatch')};
	import { note } from ${source('linux/standard-error')};
	import { writeStdout } from ${source('linux/standard-output')};
	const plugin = { about: '', add: () => (${body}), del: () => { process.stderr.write('taken back\\n'); } };
	const stdin = [Buffer.from('{"name":"a","cniVersion":"1.1.0"}')];
	const readStdin = (buffer) => stdin.pop()?.copy(buffer) ?? 0;
	process.exitCode = await dispatch(plugin, process.env, { readStdin, writeStdout, note });`,
];
const environment = { PATH: process.env['PATH'], CNI_COMMAND: 'ADD', ...attachment };

test('a large result reaches a slow reader whole', (t) => {
	const count = 20_000;
	const add = `{ interfaces: [], ips: Array(${count}).fill({ address: '9.0.1.2/27' }), routes: [], dns: {} }`;
	const slow = spawnSync('/bin/sh', ['-c', '"$@" | (sleep 0.3; cat)', 'sh', process.execPath, ...script(add)], {
		env: environment,
		encoding: 'utf8',
		maxBuffer: 64 * 1024 * 1024,
	});
	t.is(slow.stderr, '');
	t.is(JSON.parse(slow.stdout).ips.length, count);
});

test('a full disk behind stdout has the attachment taken back', (t) => {
	const full = fs.openSync('/dev/full', 'w');
	t.teardown(() => fs.closeSync(full));
	const add = "{ interfaces: [], ips: [{ address: '9.0.1.2/27' }], routes: [], dns: {} }";
	const { status, stderr } = spawnSync(process.execPath, script(add), {
		env: environment,
		stdio: ['ignore', full, 'pipe'],
		encoding: 'utf8',
	});
	t.is(status, 1);
	t.regex(stderr, /^taken back\nmesos-overlay: writing the answer to stdout: writing descriptor 1: ENOSPC/);
});
