import test from 'ava';
import { assertMappable, needsNat, readNatConfiguration } from '../../src/nat/configuration.ts';
import { refuses } from '../cni/assertions.ts';
import { configurationOf, minimal } from '../cni/requests.ts';

const read = (keys: Record<string, unknown>) => readNatConfiguration(configurationOf({ ...minimal, ...keys }));

test('nothing is asked for by default', (t) => {
	const configuration = read({});
	t.deepEqual(configuration, {
		backend: 'auto',
		ipMasq: false,
		portMappings: [],
		excludeDevices: [],
		isolation: 'none',
		policy: undefined,
		labels: [],
		macspoofchk: false,
		spoofCheck: false,
	});
	t.false(needsNat(configuration));
});

for (const keys of [
	{ ipMasq: true },
	{ isolation: 'network' },
	{ policy: [] },
	{ macspoofchk: true },
	{ spoofCheck: true },
	{ runtimeConfig: { portMappings: [{ hostPort: 1, containerPort: 1 }] } },
]) {
	test(`${JSON.stringify(keys)} takes rules`, (t) => t.true(needsNat(read(keys))));
}

for (const [keys, message] of [
	[{ natBackend: 'ipfw' }, 'reading natBackend: expected one of "auto", "nftables", "iptables", got "ipfw"'],
	[{ isolation: 'host' }, 'reading isolation: expected one of "none", "network", "container", got "host"'],
	[{ ipMasq: 'yes' }, 'reading ipMasq: expected true or false, got "yes"'],
	[{ spoofCheck: 1 }, 'reading spoofCheck: expected true or false, got 1'],
	[{ excludeDevices: 'm-dcos' }, 'reading excludeDevices: expected a list, got "m-dcos"'],
	[
		{ excludeDevices: ['a-name-that-is-too-long'] },
		'reading excludeDevices: expected names of network devices, got "a-name-that-is-too-long"',
	],
] as const) {
	test(`refused: ${JSON.stringify(keys)}`, (t) => refuses(t, () => read(keys), 7, message));
}

test('the labels that a policy goes by are those of Mesos and of args.cni', (t) => {
	const args = {
		'org.apache.mesos': { network_info: { labels: { labels: [{ key: 'app', value: 'web' }, { key: 'flag' }] } } },
		cni: { labels: [{ key: 'tier', value: 'a=b' }] },
	};
	t.deepEqual(read({ args, policy: [] }).labels, ['app=web', 'flag=', 'tier=a=b']);
	t.deepEqual(read({ args }).labels, []);
});

const http = { protocol: 'tcp', hostPort: 8080, containerPort: 80, count: 1 } as const;

test('a port can be mapped to an address of any of its families', (t) => {
	t.notThrows(() => assertMappable([{ ...http, families: [4, 6] }], ['fd00::2']));
	t.notThrows(() => assertMappable([{ ...http, families: [4] }], ['9.0.1.2', 'fd00::2']));
});

test('a port without an address to be mapped to is refused', (t) => {
	refuses(
		t,
		() => assertMappable([{ ...http, hostIp: '192.0.2.1', families: [4] }], ['fd00::2']),
		7,
		'mapping port 8080/tcp of the host at 192.0.2.1: the container has no IPv4 address',
	);
	refuses(
		t,
		() => assertMappable([{ ...http, families: [4, 6] }], []),
		7,
		'mapping port 8080/tcp of the host: the container has no IPv4 or IPv6 address',
	);
});
