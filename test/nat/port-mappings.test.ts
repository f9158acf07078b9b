import test from 'ava';
import fc from 'fast-check';
import { portsOf, readPortMappings } from '../../src/nat/port-mappings.ts';
import { refuses } from '../cni/assertions.ts';
import { configurationOf, minimal } from '../cni/requests.ts';

const read = (keys: Record<string, unknown>) => readPortMappings(configurationOf({ ...minimal, ...keys }));
const ofRuntime = (...portMappings: readonly unknown[]) => read({ runtimeConfig: { portMappings } });
const ofMesos = (...port_mappings: readonly unknown[]) =>
	read({ args: { 'org.apache.mesos': { network_info: { port_mappings } } } });

const http = { protocol: 'tcp', hostPort: 8080, containerPort: 80, count: 1, families: [4, 6] };

test('a mapping of the runtime and one of Mesos mean the same', (t) => {
	t.deepEqual(ofRuntime({ hostPort: 8080, containerPort: 80, protocol: 'tcp' }), [http]);
	t.deepEqual(ofMesos({ host_port: 8080, container_port: 80, protocol: 'TCP' }), [http]);
});

test('without a protocol it is TCP', (t) => {
	t.deepEqual(ofRuntime({ hostPort: 8080, containerPort: 80 }), [http]);
});

test('nobody asks', (t) => {
	t.deepEqual(read({}), []);
	t.deepEqual(ofRuntime(), []);
});

for (const [hostIP, expected] of [
	['192.0.2.1', { hostIp: '192.0.2.1', families: [4] }],
	['2001:DB8::0:1', { hostIp: '2001:db8::1', families: [6] }],
	['::ffff:192.0.2.1', { hostIp: '192.0.2.1', families: [4] }],
	['0.0.0.0', { families: [4] }],
	['::', { families: [6] }],
	['', { families: [4, 6] }],
] as const) {
	test(`hostIP "${hostIP}"`, (t) => {
		const { families: _, ...rest } = http;
		t.deepEqual(ofRuntime({ hostPort: 8080, containerPort: 80, hostIP }), [
			{ ...rest, ...expected, families: [...expected.families] },
		]);
	});
}

test('a range of ports is mapped one to one', (t) => {
	const [mapping] = ofRuntime({ hostPort: '8000-8002', containerPort: '80-82', protocol: 'udp' });
	t.deepEqual(mapping && portsOf(mapping), [
		[8000, 80],
		[8001, 81],
		[8002, 82],
	]);
});

for (const [entry, key, expected, got] of [
	[{ hostPort: 0, containerPort: 80 }, 'hostPort', 'a port from 1 to 65535', '0'],
	[{ hostPort: 65536, containerPort: 80 }, 'hostPort', 'a port from 1 to 65535', '65536'],
	[{ hostPort: 8080, containerPort: 0 }, 'containerPort', 'a port from 1 to 65535', '0'],
	[{ hostPort: 'http', containerPort: 80 }, 'hostPort', 'a port from 1 to 65535', '"http"'],
	[{ hostPort: 1.5, containerPort: 80 }, 'hostPort', 'a port from 1 to 65535', '1.5'],
	[{ containerPort: 80 }, 'hostPort', 'a port from 1 to 65535', 'nothing'],
	[{ hostPort: '8010-8000', containerPort: '80-90' }, 'hostPort', 'a range with its lower port first', '"8010-8000"'],
	[
		{ hostPort: '8000-8010', containerPort: '80-81' },
		'containerPort',
		'as many ports as hostPort has (11)',
		'"80-81"',
	],
	[{ hostPort: 8080, containerPort: 80, protocol: 'icmp' }, 'protocol', 'one of tcp, udp, sctp', '"icmp"'],
	[{ hostPort: 8080, containerPort: 80, hostIP: '192.0.2' }, 'hostIP', 'an IP address of the host', '"192.0.2"'],
] as const) {
	test(`refused: ${JSON.stringify(entry)}`, (t) => {
		refuses(
			t,
			() => ofRuntime(entry),
			7,
			`reading runtimeConfig.portMappings[0].${key}: expected ${expected}`,
			`got ${got}`,
		);
	});
}

test('Mesos is told of its own keys', (t) => {
	refuses(
		t,
		() => ofMesos({ host_port: 0, container_port: 80 }),
		7,
		'reading args.org.apache.mesos.network_info.port_mappings[0].host_port: ',
	);
});

for (const [title, first, second, port] of [
	['twice the same', {}, {}, '8080/tcp'],
	['every address and one of them', {}, { hostIP: '192.0.2.1' }, '8080/tcp'],
	['one address and every one of its family', { hostIP: '192.0.2.1' }, { hostIP: '0.0.0.0' }, '8080/tcp'],
	['in the middle of a range', { hostPort: '8000-8100', containerPort: '8000-8100' }, {}, '8080/tcp'],
] as const) {
	test(`a port that is mapped twice is refused: ${title}`, (t) => {
		const mapping = { hostPort: 8080, containerPort: 80 };
		refuses(
			t,
			() => ofRuntime({ ...mapping, ...first }, { ...mapping, ...second }),
			7,
			`reading runtimeConfig.portMappings[1].hostPort: port ${port} is mapped already by runtimeConfig.portMappings[0].hostPort`,
		);
	});
}

test('what differs in protocol, address or family is not the same port', (t) => {
	const mapping = { hostPort: 8080, containerPort: 80 };
	const differing = [
		{ ...mapping, hostIP: '192.0.2.1' },
		{ ...mapping, hostIP: '192.0.2.2' },
		{ ...mapping, hostIP: '::' },
		{ ...mapping, protocol: 'udp' },
	];
	t.is(ofRuntime(...differing).length, 4);
});

test('more ports than one transaction should have are refused', (t) => {
	const all = { hostPort: '1-65535', containerPort: '1-65535' };
	refuses(t, () => ofRuntime(all), 7, '65535 ports are mapped, one container can have 4096');
});

test('any range of ports comes out as it went in', (t) => {
	const port = fc.integer({ min: 1, max: 60_000 });
	fc.assert(
		fc.property(port, port, fc.integer({ min: 1, max: 1000 }), (host, container, count) => {
			const [mapping] = ofRuntime({
				hostPort: `${host}-${host + count - 1}`,
				containerPort: `${container}-${container + count - 1}`,
			});
			const ports = mapping === undefined ? [] : portsOf(mapping);
			t.is(ports.length, count);
			t.true(ports.every(([from, to]) => from - host === to - container));
		}),
	);
});
