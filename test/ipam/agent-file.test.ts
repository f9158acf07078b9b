import { mkdirSync } from 'node:fs';
import test from 'ava';
import fc from 'fast-check';
import { CniError } from '../../src/cni/errors.ts';
import { type AgentNetwork, decodeAgentFile, encodeAgentFile, readAgentFile } from '../../src/ipam/agent-file.ts';
import { readSubnet } from '../../src/ipam/subnet.ts';
import { temporaryDirectory } from './stores.ts';

const sample = '{"networks":{"dcos":{"subnet":"9.0.1.0/26","subnet6":null,"overlay":"9.0.0.0/8","mtu":1420}}}';
const network = { subnet: readSubnet('9.0.1.0/26', ''), overlay: readSubnet('9.0.0.0/8', ''), mtu: 1420 };

test('the file that the daemon writes is understood', (t) => {
	t.deepEqual(decodeAgentFile(sample, 'agent.json'), new Map([['dcos', network]]));
});

test('the file has one network a line', (t) => {
	const text =
		'{"networks": {\n"dcos": {"subnet":"9.0.1.0/26","subnet6":null,"overlay":"9.0.0.0/8","mtu":1420}\n}}\n';
	t.is(encodeAgentFile(new Map([['dcos', network]])), text);
});

const subnet = fc.nat(0xffff).map((index) => readSubnet(`9.${index >> 8}.${index & 255}.0/24`, ''));
const subnet6 = fc.nat(0xffff).map((index) => readSubnet(`fd00:${index.toString(16)}::/32`, ''));
const networks = fc.record(
	{
		subnet,
		subnet6,
		overlay: fc.constant(readSubnet('9.0.0.0/8', '')),
		overlay6: fc.constant(readSubnet('fd00::/16', '')),
		mtu: fc.integer({ min: 68, max: 65535 }),
	},
	{ requiredKeys: [], noNullPrototype: true },
);
// A decoded object has no such member; networks are not called so.
const names = fc.string({ minLength: 1 }).filter((name) => name !== '__proto__');

test('what was encoded is decoded to the same', (t) => {
	fc.assert(
		fc.property(fc.array(fc.tuple(names, networks)), (entries) => {
			const all = new Map<string, AgentNetwork>(entries);
			const decoded = decodeAgentFile(encodeAgentFile(all), 'agent.json');
			t.deepEqual(Object.fromEntries(decoded), Object.fromEntries(all));
		}),
	);
});

for (const [title, text, code, message] of [
	['no object', '[]', 7, 'reading agent.json: expected an object, got a list'],
	[
		'networks that are no object',
		'{"networks":[]}',
		7,
		'reading agent.json networks: expected an object, got a list',
	],
	[
		'a network that is no object',
		'{"networks":{"a":7}}',
		7,
		'reading agent.json networks.a: expected an object, got 7',
	],
	[
		'a subnet that is none',
		'{"networks":{"a":{"subnet":"x"}}}',
		7,
		'reading agent.json networks.a.subnet: "x" is not an IPv4 subnet, write it as "9.0.1.0/26"',
	],
	[
		'IPv4 as subnet6',
		'{"networks":{"a":{"subnet6":"9.0.0.0/8"}}}',
		7,
		'reading agent.json networks.a.subnet6: "9.0.0.0/8" is not an IPv6 subnet, write it as "fd00:9::/64"',
	],
	[
		'a subnet outside',
		'{"networks":{"a":{"subnet":"9.0.1.0/26","overlay":"10.0.0.0/8"}}}',
		7,
		'reading agent.json networks.a.subnet: "9.0.1.0/26" is not inside the overlay "10.0.0.0/8"',
	],
	[
		'an MTU of 67',
		'{"networks":{"a":{"mtu":67}}}',
		7,
		'reading agent.json networks.a.mtu: expected a whole number from 68 to 65535, got 67',
	],
] as const) {
	test(`refused: ${title}`, (t) => {
		const error = t.throws(() => decodeAgentFile(text, 'agent.json'), { instanceOf: CniError });
		t.is(error?.message, message);
		t.is(error?.code, code);
	});
}

test('a file that was cut is refused with its path', (t) => {
	const error = t.throws(() => decodeAgentFile(sample.slice(0, -9), '/run/agent.json'), { instanceOf: CniError });
	t.true(error?.message.startsWith('reading the agent file "/run/agent.json": '), error?.message);
	t.is(error?.code, 6);
});

test('no file is no networks, and a directory is an I/O failure', (t) => {
	const path = `${temporaryDirectory(t)}/agent.json`;
	t.is(readAgentFile(path), undefined);
	mkdirSync(path);
	const error = t.throws(() => readAgentFile(path), { instanceOf: CniError });
	t.is(error?.message, `reading the agent file "${path}": EISDIR`);
	t.is(error?.code, 5);
});
