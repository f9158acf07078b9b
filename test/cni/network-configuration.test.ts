import test from 'ava';
import fc from 'fast-check';
import { CniError } from '../../src/cni/errors.ts';
import { fieldsOf, readInteger, readString } from '../../src/cni/fields.ts';
import { answerVersion, readTimeout } from '../../src/cni/network-configuration.ts';
import { supportedVersions } from '../../src/cni/versions.ts';
import { refuses } from './assertions.ts';
import { configurationOf, minimal } from './requests.ts';

const prevResult = { ips: [{ address: '9.0.1.2/27' }] };
const commands = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS'] as const;

const absent = {
	ipamType: '',
	ipam: undefined,
	runtimeConfig: undefined,
	args: undefined,
	mesos: undefined,
	dns: undefined,
	prevResult: undefined,
	validAttachments: undefined,
};

test('a configuration without optional keys', (t) => {
	const configuration = configurationOf(minimal);
	t.like(configuration, { ...absent, ...minimal, cniVersion: '1.1.0' });
	t.is(configuration.decoded, minimal);
	t.is(readString(configuration.fields, 'type'), 'mesos-overlay');
});

test('null is the same as absent', (t) => {
	const keys = ['cniVersion', 'type', 'ipam', 'runtimeConfig', 'args', 'dns', 'prevResult', 'timeout'];
	const nulls = Object.fromEntries(keys.map((key) => [key, null]));
	t.like(configurationOf({ name: 'dcos', ...nulls }), { ...absent, name: 'dcos', cniVersion: '0.1.0', type: '' });
	t.is(configurationOf({ ...minimal, 'cni.dev/valid-attachments': null }, 'GC').validAttachments, undefined);
});

test('every key, in another case', (t) => {
	const configuration = configurationOf({
		CNIVERSION: '1.1.0',
		Name: 'dcos',
		TYPE: 'mesos-overlay',
		IPAM: { Type: 'host-local', PREFIX: 26 },
		RuntimeConfig: { MAC: '02:00:00:00:00:01' },
		Args: { CNI: { IPS: [] }, 'ORG.apache.mesos': { Network_Info: { Name: 'dcos' } } },
		DNS: { Nameservers: ['9.0.0.1'], domain: '' },
		PrevResult: { IPs: prevResult.ips },
	});
	const { ipam, runtimeConfig, args, mesos } = configuration;
	t.like(configuration, {
		...minimal,
		cniVersion: '1.1.0',
		ipamType: 'host-local',
		dns: { nameservers: ['9.0.0.1'] },
		prevResult: { interfaces: [], ips: prevResult.ips, routes: [], dns: {} },
	});
	t.is(ipam && readInteger(ipam, 'prefix', 0, 32), 26);
	t.is(runtimeConfig && readString(runtimeConfig, 'mac'), '02:00:00:00:00:01');
	t.is(args?.path, 'args.cni.');
	t.is(mesos && readString(mesos, 'name'), 'dcos');
});

for (const command of commands) {
	test(`${command}: the name must be there and be one`, (t) => {
		refuses(t, () => configurationOf({ cniVersion: '1.1.0' }, command), 7, 'missing network name');
		refuses(t, () => configurationOf({ ...minimal, name: '' }, command), 7, 'missing network name');
		for (const name of ['-a', 'a/b', '../x', 'a b', 'ü', 'a\n']) {
			refuses(
				t,
				() => configurationOf({ ...minimal, name }, command),
				7,
				'invalid characters found in network name',
				name,
			);
		}
		t.is(configurationOf({ ...minimal, name: 'A.b_c-1' }, command).name, 'A.b_c-1');
	});
}

test('a name of another type', (t) => {
	refuses(t, () => configurationOf({ name: 5 }), 7, 'reading name: expected a string, got 5');
	refuses(t, () => configurationOf({ name: 5 }, 'DEL'), 7, 'missing network name');
});

for (const version of supportedVersions) {
	test(`${version} is read, and has its commands`, (t) => {
		for (const command of commands) {
			const since = { ADD: '0.1.0', DEL: '0.1.0', CHECK: '0.4.0', GC: '1.1.0', STATUS: '1.1.0' }[command];
			const read = () => configurationOf({ ...minimal, cniVersion: version }, command);
			if (command === 'DEL' || version >= since) t.is(read().cniVersion, version);
			else refuses(t, read, 1, `config version does not allow ${command}`, `config is "${version}"`, since);
		}
	});
}

test('no version is 0.1.0', (t) => {
	t.is(configurationOf({ name: 'dcos' }).cniVersion, '0.1.0');
	t.is(configurationOf({ name: 'dcos', cniVersion: '' }).cniVersion, '0.1.0');
	refuses(t, () => configurationOf({ name: 'dcos' }, 'CHECK'), 1, 'config version does not allow CHECK');
});

test('an unknown version', (t) => {
	const supported = supportedVersions.map((version) => `"${version}"`).join(' ');
	for (const cniVersion of ['1.2.0', 'v1.0.0', '1.0.0 ']) {
		const details = `config is "${cniVersion}", plugin supports [${supported}]`;
		refuses(t, () => configurationOf({ ...minimal, cniVersion }), 1, 'incompatible CNI versions', details);
		t.is(configurationOf({ ...minimal, cniVersion }, 'DEL').cniVersion, '1.1.0');
	}
});

test('a version that is no string', (t) => {
	for (const cniVersion of [1, true, ['1.0.0'], {}]) {
		refuses(t, () => configurationOf({ ...minimal, cniVersion }), 6, 'reading cniVersion: expected a string');
		t.is(configurationOf({ ...minimal, cniVersion }, 'DEL').cniVersion, '1.1.0');
	}
});

for (const [cniVersion, answer] of [
	['0.3.1', '0.3.1'],
	['', '0.1.0'],
	[null, '0.1.0'],
	['9.9.9', '1.1.0'],
	[5, '1.1.0'],
] as const) {
	test(`errors for a configuration of version ${cniVersion || JSON.stringify(cniVersion)} are of ${answer}`, (t) => {
		t.is(answerVersion(fieldsOf({ cniVersion }, '')), answer);
	});
}

for (const [keys, where] of [
	[{ type: 1 }, 'type'],
	[{ ipam: 'host-local' }, 'ipam'],
	[{ ipam: { type: {} } }, 'ipam.type'],
	[{ args: [] }, 'args'],
	[{ args: { cni: 1 } }, 'args.cni'],
	[{ args: { 'org.apache.mesos': 1 } }, 'args.org.apache.mesos'],
	[{ args: { 'org.apache.mesos': { network_info: 1 } } }, 'args.org.apache.mesos.network_info'],
	[{ runtimeConfig: true }, 'runtimeConfig'],
	[{ dns: [] }, 'dns'],
	[{ dns: { search: [1] } }, 'dns.search'],
	[{ prevResult: 1 }, 'prevResult'],
	[{ prevResult: { ips: [{ address: 1 }] } }, 'prevResult.ips[0].address'],
] as const) {
	test(`a wrong type of ${where} stops everything but a DEL`, (t) => {
		refuses(t, () => configurationOf({ ...minimal, ...keys }), 7, `reading ${where}: expected `);
		t.is(configurationOf({ ...minimal, ...keys }, 'DEL').name, 'dcos');
	});
}

test('what a plugin reads itself is lenient in a DEL too', (t) => {
	const { fields, ipam } = configurationOf({ ...minimal, mtu: '1420', ipam: { prefix: [] } }, 'DEL');
	t.is(readInteger(fields, 'mtu', 68, 65535), undefined);
	t.is(ipam && readInteger(ipam, 'prefix', 0, 32), undefined);
});

test('a DEL reads what is right beside what is wrong', (t) => {
	const {
		ipamType,
		mesos,
		prevResult: previous,
	} = configurationOf(
		{
			...minimal,
			cniVersion: '9.9.9',
			dns: 1,
			ipam: { type: 'host-local' },
			args: { 'org.apache.mesos': {} },
			prevResult,
		},
		'DEL',
	);
	t.is(ipamType, 'host-local');
	t.not(mesos, undefined);
	t.deepEqual(previous?.ips, prevResult.ips);
});

test('dns without a value is none', (t) => {
	t.is(configurationOf({ ...minimal, dns: { nameservers: [], domain: '', search: null } }).dns, undefined);
	const dns = { nameservers: ['9.0.0.1'], domain: 'a', search: ['b'], options: ['ndots:1'] };
	t.deepEqual(configurationOf({ ...minimal, dns }).dns, dns);
});

test('prevResult has the version of its shape', (t) => {
	const read = (cniVersion: string, stated: string) =>
		configurationOf({ ...minimal, cniVersion, prevResult: { ...prevResult, cniVersion: stated } }).prevResult;
	t.is(read('0.4.0', '0.3.0')?.ips.length, 1);
	t.is(read('1.0.0', '1.1.0')?.ips.length, 1);
	refuses(t, () => read('0.4.0', '1.0.0'), 1, 'reading prevResult.cniVersion', '1.0.0', '0.4.0');
	refuses(t, () => read('1.1.0', '0.2.0'), 1, 'reading prevResult.cniVersion');
	refuses(t, () => read('1.1.0', '9.9.9'), 1, 'unsupported CNI result version "9.9.9"');
});

test('valid attachments under either key, for GC alone', (t) => {
	const list = [
		{ containerID: 'a', ifname: 'eth0' },
		{ containerid: 'b', IfName: 'eth1', more: 1 },
	];
	const read = [
		{ containerId: 'a', ifname: 'eth0' },
		{ containerId: 'b', ifname: 'eth1' },
	];
	const validAttachments = (keys: Record<string, unknown>, command: 'GC' | 'ADD' = 'GC') =>
		configurationOf({ ...minimal, ...keys }, command).validAttachments;
	t.deepEqual(validAttachments({ 'cni.dev/valid-attachments': list }), read);
	t.deepEqual(validAttachments({ 'cni.dev/attachments': list }), read);
	t.deepEqual(validAttachments({ 'cni.dev/attachments': list, 'cni.dev/valid-attachments': [] }), []);
	t.is(validAttachments({}), undefined);
	t.is(validAttachments({ 'cni.dev/valid-attachments': 'x' }, 'ADD'), undefined);
});

for (const list of [
	'x',
	{},
	[1],
	[null],
	[{}],
	[{ containerID: 'a' }],
	[{ ifname: 'eth0' }],
	[{ containerID: '', ifname: 'eth0' }],
]) {
	test(`a malformed list of valid attachments is refused: ${JSON.stringify(list)}`, (t) => {
		const decoded = { ...minimal, 'cni.dev/valid-attachments': list };
		refuses(t, () => configurationOf(decoded, 'GC'), 7, 'reading cni.dev/valid-attachments');
	});
}

test('the timeout is in seconds, from 1 to 600', (t) => {
	const read = (timeout: unknown, lenient = false) => readTimeout(fieldsOf({ timeout }, '', lenient));
	t.is(read(null), 30_000);
	t.is(read(1), 1000);
	t.is(read(600), 600_000);
	for (const timeout of [0, 601, 1.5, '30']) {
		refuses(t, () => read(timeout), 7, 'reading timeout: expected a whole number from 1 to 600');
		t.is(read(timeout, true), 30_000);
	}
});

test('any decoded object is read or refused, and a DEL with a name never is', (t) => {
	const keys = [
		'cniVersion',
		'type',
		'ipam',
		'args',
		'cni',
		'dns',
		'prevResult',
		'ips',
		'runtimeConfig',
		'cni.dev/attachments',
	];
	const { value } = fc.letrec((tie) => ({
		value: fc.oneof(
			{ maxDepth: 3 },
			fc.constantFrom('1.1.0', '', null, 0, true, 'x'),
			fc.array(tie('value'), { maxLength: 2 }),
			fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 5 }),
		),
	}));
	const decoded = fc.dictionary(fc.constantFrom(...keys), value);
	const isRead = (keys: Record<string, unknown>, command: (typeof commands)[number]) => {
		try {
			return configurationOf({ ...keys, name: 'dcos' }, command).name === 'dcos';
		} catch (error) {
			return error instanceof CniError && command !== 'DEL';
		}
	};
	t.notThrows(() => fc.assert(fc.property(decoded, fc.constantFrom(...commands), isRead), { numRuns: 1000 }));
});
