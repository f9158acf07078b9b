import test from 'ava';
import fc from 'fast-check';
import { CniError } from '../../src/cni/errors.ts';
import { present } from '../../src/cni/fields.ts';
import { type Result, decodeResult, encodeResult } from '../../src/cni/result.ts';
import { type Version, supportedVersions } from '../../src/cni/versions.ts';
import { anyResult, familiesResult } from './arbitraries.ts';
import { refuses } from './assertions.ts';

const attached: Result = {
	interfaces: [
		{ name: 'm-dcos', mac: '02:64:09:00:01:01', mtu: 1420 },
		{ name: 'eth0', mac: '02:64:09:00:01:02', mtu: 1420, sandbox: '/run/netns/a', pciID: '0000:00:1f.6' },
	],
	ips: [{ address: '9.0.1.2/27', gateway: '9.0.1.1', interface: 0 }, { address: 'fd00::2/64' }],
	routes: [
		{ dst: '::/0', gw: 'fd00::1' },
		{ dst: '0.0.0.0/0', gw: '9.0.1.1', mtu: 1400, table: 100 },
		{ dst: '10.0.0.0/8' },
	],
	dns: { nameservers: ['9.0.0.1'], search: [] },
};

const print = (result: Result, version: Version, mesos = false): Record<string, unknown> =>
	JSON.parse(JSON.stringify(encodeResult(result, version, { mesos })));

const reread = (result: Result, version: Version, mesos = false) =>
	decodeResult(print(result, version, mesos), '1.1.0', '');

const families = {
	ip4: {
		ip: '9.0.1.2/27',
		gateway: '9.0.1.1',
		routes: [{ dst: '0.0.0.0/0', gw: '9.0.1.1' }, { dst: '10.0.0.0/8' }],
	},
	ip6: { ip: 'fd00::2/64', routes: [{ dst: '::/0', gw: 'fd00::1' }] },
};
const dns = { nameservers: ['9.0.0.1'] };
const olderInterfaces = [
	{ name: 'm-dcos', mac: '02:64:09:00:01:01' },
	{ name: 'eth0', mac: '02:64:09:00:01:02', sandbox: '/run/netns/a' },
];

const shapes: Record<Version, Record<string, unknown>> = {
	'0.1.0': { ...families, dns },
	'0.2.0': { ...families, dns },
	'0.3.0': versionedList(),
	'0.3.1': versionedList(),
	'0.4.0': versionedList(),
	'1.0.0': { interfaces: olderInterfaces, ips: attached.ips, routes: attached.routes, dns },
	'1.1.0': { interfaces: attached.interfaces, ips: attached.ips, routes: attached.routes, dns },
};

function versionedList() {
	const [four, six] = attached.ips;
	return {
		interfaces: olderInterfaces,
		ips: [
			{ version: '4', ...four },
			{ version: '6', ...six },
		],
		routes: attached.routes,
		dns,
	};
}

for (const version of supportedVersions) {
	const isOld = version < '0.3.0';

	test(`${version}: a result in its shape`, (t) => {
		t.deepEqual(print(attached, version), { cniVersion: version, ...shapes[version] });
	});

	test(`${version}: Mesos gets its shape beside that one`, (t) => {
		t.deepEqual(print(attached, version, true), { cniVersion: version, ...shapes[version], ...families });
	});

	test(`${version}: what is empty is left out, but "dns" only from 1.0.0 on`, (t) => {
		const bare: Result = { interfaces: [], ips: [{ address: '9.0.1.2/27' }], routes: [], dns: {} };
		const expected = isOld
			? { ip4: { ip: '9.0.1.2/27' }, dns: {} }
			: version < '1.0.0'
				? { ips: [{ version: '4', address: '9.0.1.2/27' }], dns: {} }
				: { ips: [{ address: '9.0.1.2/27' }] };
		t.deepEqual(print(bare, version), { cniVersion: version, ...expected });
	});

	test(`${version}: a result without a version is read as the configuration's`, (t) => {
		for (const cniVersion of [undefined, null, '']) {
			const result = decodeResult({ ...print(attached, version), cniVersion }, version, 'result.');
			t.deepEqual(
				result.ips.map(({ address }) => address),
				['9.0.1.2/27', 'fd00::2/64'],
			);
			t.is(result.routes.length, 3);
		}
	});
}

test('a result of 1.1.0 is the same after printing and reading', (t) => {
	t.notThrows(() =>
		fc.assert(
			fc.property(
				anyResult,
				fc.boolean(),
				(result, mesos) => (t.deepEqual(reread(result, '1.1.0', mesos), result), true),
			),
		),
	);
});

for (const version of ['0.3.0', '0.3.1', '0.4.0', '1.0.0'] as const) {
	test(`a result of ${version} is the same after printing and reading, but for what interfaces gained later`, (t) => {
		const older = anyResult.map((result) => ({
			...result,
			interfaces: result.interfaces.map(({ name, mac, sandbox }) => present({ name, mac, sandbox })),
		}));
		t.notThrows(() =>
			fc.assert(fc.property(older, (result) => (t.deepEqual(reread(result, version), result), true))),
		);
	});
}

for (const version of ['0.1.0', '0.2.0'] as const) {
	test(`a result of ${version} is the same after printing and reading`, (t) => {
		t.notThrows(() =>
			fc.assert(fc.property(familiesResult, (result) => (t.deepEqual(reread(result, version), result), true))),
		);
	});

	test(`${version} carries no result without addresses, nor with two of a family`, (t) => {
		const none: Result = { interfaces: [], ips: [], routes: [], dns: {} };
		refuses(t, () => print(none, version), 7, 'cannot convert: no valid IP addresses');
		const two = { ...none, ips: [{ address: '9.0.1.2/27' }, { address: '9.0.1.3/27' }] };
		refuses(t, () => print(two, version, true), 7, 'more than 1 address per family');
	});

	test(`${version}: a route of a family without an address is dropped`, (t) => {
		const result = { ...attached, ips: attached.ips.slice(1) };
		t.deepEqual(print(result, version), { cniVersion: version, ip6: families.ip6, dns });
	});
}

test('for Mesos, the first address of each family counts, and none is no error', (t) => {
	const result = { ...attached, ips: [...attached.ips, { address: '9.0.1.9/27' }] };
	t.deepEqual(print(result, '1.1.0', true)['ip4'], families.ip4);
	const { ip4, ip6, ips } = print({ ...attached, ips: [] }, '1.1.0', true);
	t.deepEqual({ ip4, ip6, ips }, { ip4: undefined, ip6: undefined, ips: undefined });
});

test('the index 0, -1 or none of an interface stays', (t) => {
	const ips = [
		{ address: '9.0.1.2/27', interface: 0 },
		{ address: '9.0.1.3/27', interface: -1 },
		{ address: '9.0.1.4/27' },
	];
	t.deepEqual(reread({ ...attached, ips }, '0.4.0').ips, ips);
});

test('what other plugins print is read: keys in another case, null, empty strings', (t) => {
	const value = {
		CNIVersion: '0.4.0',
		IPs: [{ Address: '9.0.1.2/27', gateway: '', interface: null }],
		interfaces: null,
		more: 1,
	};
	t.deepEqual(decodeResult(value, '0.4.0', ''), {
		interfaces: [],
		ips: [{ address: '9.0.1.2/27' }],
		routes: [],
		dns: {},
	});
	t.deepEqual(decodeResult(null, '0.4.0', ''), { interfaces: [], ips: [], routes: [], dns: {} });
});

for (const [value, code, fragment] of [
	[[], 7, 'reading prevResult: expected an object, got a list'],
	[{ cniVersion: '9.9.9' }, 1, 'reading prevResult.cniVersion: unsupported CNI result version "9.9.9"'],
	[{ ips: [{}] }, 7, 'reading prevResult.ips[0].address: expected an address such as 9.0.1.2/26, got nothing'],
	[{ ips: [{ address: '9.0.1.2' }] }, 7, 'reading prevResult.ips[0].address'],
	[
		{ ips: [{ address: '9.0.1.2/27', gateway: 'x' }] },
		7,
		'reading prevResult.ips[0].gateway: expected an IP address, got "x"',
	],
	[{ routes: [{ gw: '9.0.1.1' }] }, 7, 'reading prevResult.routes[0].dst'],
	[
		{ routes: [{ dst: '0.0.0.0/0', scope: 256 }] },
		7,
		'reading prevResult.routes[0].scope: expected a whole number from 0 to 255',
	],
	[{ interfaces: {} }, 7, 'reading prevResult.interfaces: expected a list, got an object'],
	[{ interfaces: [{ name: 1 }] }, 7, 'reading prevResult.interfaces[0].name'],
	[{ dns: { search: 'a' } }, 7, 'reading prevResult.dns.search'],
	[{ cniVersion: '0.2.0', ip4: { gateway: '9.0.1.1' } }, 7, 'reading prevResult.ip4.ip'],
] as const) {
	test(`refused: ${JSON.stringify(value)}`, (t) => {
		refuses(t, () => decodeResult(value, '1.1.0', 'prevResult.'), code, fragment);
	});
}

test('nothing that is decoded makes anything but a CniError', (t) => {
	const keys = fc.constantFrom(
		'cniVersion',
		'ips',
		'ip4',
		'IP6',
		'routes',
		'interfaces',
		'dns',
		'address',
		'ip',
		'dst',
		'name',
		'search',
	);
	const leaf = fc.oneof(
		fc.constantFrom('0.2.0', '1.1.0', '9.0.1.2/27', null, '', -1, true),
		fc.string(),
		fc.double(),
	);
	const { value } = fc.letrec((tie) => ({
		value: fc.oneof(
			{ maxDepth: 4 },
			leaf,
			fc.array(tie('value'), { maxLength: 3 }),
			fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
		),
	}));
	t.notThrows(() =>
		fc.assert(
			fc.property(value, fc.constantFrom(...supportedVersions), (decoded, version) => {
				try {
					return Array.isArray(decodeResult(decoded, version, 'result.').ips);
				} catch (error) {
					return error instanceof CniError;
				}
			}),
			{ numRuns: 1000 },
		),
	);
});
