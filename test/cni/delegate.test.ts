import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { delegate, delegateAdd, findExecutable } from '../../src/cni/delegate.ts';
import { CniError } from '../../src/cni/errors.ts';
import type { Request } from '../../src/cni/request.ts';
import { refuses } from './assertions.ts';
import { requestOf } from './requests.ts';

const address = '{"ips":[{"address":"9.0.1.2/27"}]}';

function directory(t: ExecutionContext): string {
	const made = fs.mkdtempSync(path.join(os.tmpdir(), 'delegate-'));
	t.teardown(() => fs.rmSync(made, { recursive: true }));
	return made;
}

/** A request whose IPAM plugin is this shell script. */
function requestTo(
	t: ExecutionContext,
	script: string,
	keys: Record<string, unknown> = {},
	rest: Partial<Request> = {},
) {
	const made = directory(t);
	fs.writeFileSync(path.join(made, 'tested'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
	const environment = { PATH: process.env['PATH'], CNI_COMMAND: 'ADD', CNI_IFNAME: 'eth0', CNI_PATH: made };
	return requestOf({ ipam: { type: 'tested' }, ...keys }, { path: [made], environment, ...rest });
}

async function fails(
	t: ExecutionContext,
	work: Promise<unknown>,
	code: number,
	...fragments: readonly string[]
): Promise<void> {
	const error = await t.throwsAsync(work, { instanceOf: CniError });
	refuses(
		t,
		() => {
			throw error;
		},
		code,
		...fragments,
	);
}

test('the first regular file of the name in CNI_PATH is the plugin', (t) => {
	const [one, other] = [directory(t), directory(t)];
	fs.mkdirSync(path.join(one, 'tested'));
	fs.writeFileSync(path.join(other, 'target'), '');
	fs.symlinkSync('target', path.join(other, 'tested'));
	t.is(findExecutable(['/nonexistent', one, other], 'tested'), path.join(other, 'tested'));
});

for (const [title, directories, type, code, fragments] of [
	['a type with a slash', ['/bin'], '../bin/sh', 7, ['ipam.type', '"../bin/sh"']],
	['an empty type', ['/bin'], '', 7, ['ipam.type']],
	['no CNI_PATH', [], 'host-local', 4, ['required env variables [CNI_PATH] missing']],
	[
		'no such file',
		['/nonexistent', '/proc/self/exe/x'],
		'host-local',
		106,
		['"host-local"', 'failed to find it in path [/nonexistent /proc/self/exe/x]'],
	],
] as const) {
	test(`no plugin is found: ${title}`, (t) => {
		refuses(t, () => findExecutable(directories, type), code, ...fragments);
	});
}

test('the plugin gets the environment with the command, and the complete configuration', async (t) => {
	const seen = directory(t);
	const request = requestTo(t, `cat >${seen}/stdin; env >${seen}/env; echo '${address}'`, {
		unknown: { Kept: [null, 1] },
	});
	await delegateAdd(request);
	t.deepEqual(JSON.parse(fs.readFileSync(`${seen}/stdin`, 'utf8')), request.configuration.decoded);
	await delegate(request, 'DEL');
	const variables = fs.readFileSync(`${seen}/env`, 'utf8').split('\n');
	t.true(variables.includes('CNI_COMMAND=DEL'));
	t.true(variables.includes('CNI_IFNAME=eth0'));
	t.false(variables.some((variable) => variable.startsWith('HOME=')));
});

for (const [title, cniVersion, printed] of [
	['without a version', '1.0.0', address],
	['with an empty version', '0.4.0', '{"cniVersion":"","ips":[{"version":"4","address":"9.0.1.2/27"}]}'],
	['of an older shape', '1.1.0', '{"cniVersion":"0.2.0","ip4":{"ip":"9.0.1.2/27"}}'],
	['in the shape of a configuration without a version', '', '{"ip4":{"ip":"9.0.1.2/27"}}'],
] as const) {
	test(`a result ${title}`, async (t) => {
		const { ips } = await delegateAdd(requestTo(t, `echo '${printed}'`, { cniVersion }));
		t.deepEqual(ips, [{ address: '9.0.1.2/27' }]);
	});
}

for (const [title, script, code, fragments] of [
	[
		'an error with a code of its own',
		`echo '{"code":11,"msg":"busy","details":"d"}'; exit 1`,
		11,
		['running IPAM plugin "tested": busy', '\nd'],
	],
	[
		'an error of any capitals',
		`echo '{"Code":999,"MSG":"no IP"}'; exit 1`,
		999,
		['running IPAM plugin "tested": no IP'],
	],
	['an error without a message', "echo '{}'; exit 1", 106, ['it failed with no message']],
	['only stderr', 'echo "panic: oh" >&2; exit 2', 106, ['running IPAM plugin "tested": exit status 2: "panic: oh"']],
	['text on stdout', 'echo what; exit 3', 106, ['exit status 3: "what"']],
	['nothing at all', 'exit 1', 106, ['exit status 1 with no error message']],
	['a signal', 'kill -9 $$', 106, ['killed by SIGKILL']],
	['an empty result', 'exit 0', 106, ['it printed no result']],
	['a result that is no JSON', 'echo "{"', 106, ['it printed no JSON but "{']],
	['a result with a wrong value', `echo '{"ips":[{"address":"x"}]}'`, 106, ['reading result.ips[0].address', '"x"']],
	['a result of an unknown version', `echo '{"cniVersion":"9"}'`, 106, ['unsupported CNI result version "9"']],
	['a result that is a list', "echo '[]'", 106, ['reading result: expected an object']],
] as const) {
	test(`a failed ADD: ${title}`, async (t) => {
		await fails(t, delegateAdd(requestTo(t, script)), code, 'running IPAM plugin "tested": ', ...fragments);
	});
}

for (const command of ['DEL', 'CHECK', 'GC', 'STATUS'] as const) {
	test(`${command} needs no output, and fails as the plugin does`, async (t) => {
		await t.notThrowsAsync(delegate(requestTo(t, 'echo noise'), command));
		await fails(
			t,
			delegate(requestTo(t, `echo '{"code":50,"msg":"full"}'; exit 1`), command),
			50,
			'"tested": full',
		);
	});
}

test('a plugin that does not read its configuration is no failure', async (t) => {
	const request = requestTo(t, 'exec <&-; exit 0', { filler: 'x'.repeat(1_000_000) });
	await t.notThrowsAsync(delegate(request, 'DEL'));
});

test('a plugin that does not end is killed at the deadline, with what it left holding the output', async (t) => {
	const started = performance.now();
	const request = requestTo(t, 'sleep 20 & sleep 20', {}, { deadline: started + 700 });
	await fails(
		t,
		delegateAdd(request),
		11,
		'running IPAM plugin "tested": killed after 0.',
		's without an answer',
		'"timeout"',
	);
	t.true(performance.now() - started < 5000);
	await fails(t, delegateAdd({ ...request, deadline: started }), 11, 'no time was left for it');
});

test('a plugin that floods its output is refused', async (t) => {
	await fails(t, delegateAdd(requestTo(t, 'yes')), 106, 'running IPAM plugin "tested": ');
});

test('a file that cannot be executed', async (t) => {
	const request = requestTo(t, '');
	fs.chmodSync(path.join(request.path[0] ?? '', 'tested'), 0o644);
	await fails(t, delegateAdd(request), 106, 'running IPAM plugin "tested": ', 'EACCES');
});

test('a plugin that is just being written is tried again', async (t) => {
	const request = requestTo(t, `echo '${address}'`);
	const writer = spawn('/bin/sh', [
		'-c',
		'exec 3>>"$0"; echo; sleep 0.4',
		path.join(request.path[0] ?? '', 'tested'),
	]);
	await new Promise((resolve) => writer.stdout.once('data', resolve));
	t.is((await delegateAdd(request)).ips.length, 1);
});
