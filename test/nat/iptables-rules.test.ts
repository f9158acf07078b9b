import test from 'ava';
import fc from 'fast-check';
import { chainsOf, portMatches } from '../../src/nat/iptables-rules.ts';
import type { AttachmentRecord, NetworkRecord, Records } from '../../src/nat/records.ts';
import { type Fate, fateByRules, fateBySets, type Packet } from './packet-paths.ts';
import { attachment, dcos } from './records-of.ts';

const none: Records = { networks: [], attachments: [] };
const http = { protocol: 'tcp', hostPort: 8080, containerPort: 80, count: 1, families: [4, 6] } as const;

/** The rules of a chain for one container in the network of the examples. */
function rules(name: string, keys: Partial<AttachmentRecord>, family: 4 | 6 = 4): readonly string[] {
	const records = { networks: [dcos], attachments: [attachment(keys)] };
	return chainsOf(records, family).find((chain) => chain.name === `MESOS-OVERLAY-${name}`)?.rules ?? [];
}

test('names of chains are not longer than iptables takes them', (t) => {
	for (const { name } of chainsOf(none, 4)) t.true(name.length <= 28, name);
});

test('both families have the same chains', (t) => {
	const shape = (family: 4 | 6) => chainsOf(none, family).map(({ table, name, hooks }) => [table, name, ...hooks]);
	t.deepEqual(shape(4), shape(6));
});

test('ports that stay the same share a rule, others have one each', (t) => {
	const mapping = { ...http, containerPort: 8080, count: 3 };
	t.deepEqual(rules('PORTS', { portMappings: [mapping, { ...http, hostPort: 9000, count: 2 }] }).slice(1), [
		'-p tcp -m multiport --dports 8080:8082 -j DNAT --to-destination 9.0.1.2',
		'-p tcp -m multiport --dports 9000 -j DNAT --to-destination 9.0.1.2:80',
		'-p tcp -m multiport --dports 9001 -j DNAT --to-destination 9.0.1.2:81',
	]);
});

test('a port of one address comes before those of every address', (t) => {
	const there = { ...http, hostIp: '2001:db8::1' };
	t.deepEqual(rules('PORTS', { addresses: ['fd00::2'], portMappings: [http, there] }, 6).slice(1), [
		'-d 2001:db8::1/128 -p tcp -m multiport --dports 8080 -j DNAT --to-destination [fd00::2]:80',
		'-p tcp -m multiport --dports 8080 -j DNAT --to-destination [fd00::2]:80',
	]);
});

test('a family in which a container has no address has no rule because of it', (t) => {
	const keys = { portMappings: [http], excludeDevices: ['eth1'], masquerade: true, isolation: 'container' } as const;
	t.deepEqual(chainsOf({ networks: [dcos], attachments: [attachment(keys)] }, 6), chainsOf(none, 6));
});

test('the host reaches its ports by 127.0.0.1, and nobody comes from a bridge with such addresses', (t) => {
	t.true(rules('PUBLISHED', {}).includes('-s 127.0.0.0/8 -j MASQUERADE'));
	t.deepEqual(rules('PREROUTING', {}), ['-d 127.0.0.0/8 -i m-dcos -j DROP', '-s 127.0.0.0/8 -i m-dcos -j DROP']);
});

test('a multiport match has fifteen ports at most, of which a range is two', (t) => {
	const port = fc.integer({ min: 1, max: 200 });
	fc.assert(
		fc.property(fc.array(port, { maxLength: 120 }), (ports) => {
			const matches = portMatches(ports).map((match) => match.replace('-m multiport --dports ', ''));
			for (const match of matches) t.true(match.split(/[,:]/u).length <= 15, match);
			const all = matches.flatMap((match) =>
				match.split(',').flatMap((range) => {
					const [first = 0, last = first] = range.split(':').map(Number);
					return Array.from({ length: last - first + 1 }, (_, at) => first + at);
				}),
			);
			t.deepEqual(
				all,
				[...new Set(ports)].toSorted((one, other) => one - other),
			);
		}),
	);
});

const overlays = { 4: ['9.0.0.0/8', '10.0.0.0/8', '10.1.0.0/16'], 6: ['fd00::/16', 'fd01::/16'] };
const subnets = { 4: ['9.0.1.0/27', '10.1.0.0/24', '10.2.0.0/24'], 6: ['fd00::/64', 'fd01::/64'] };
const addresses = {
	4: ['9.0.1.2', '9.0.1.3', '9.0.2.2', '10.1.0.2', '10.2.0.2', '11.0.0.2'],
	6: ['fd00::2', 'fd00::3', 'fd01::2', 'fd02::2'],
};
const others = { 4: ['192.0.2.1', '192.0.2.2', '224.0.0.1'], 6: ['2001:db8::1', 'ff02::1'] };
const PROTOCOLS = ['tcp', 'udp', 'sctp'] as const;
const ports = [80, 81, 82, 8080, 8081];
const labels = ['app=web', 'app=db'];
const devices = ['m-dcos', 'm-dcos-1', 'uplink'];

const some = <T>(list: readonly T[], length = list.length) => fc.subarray([...list], { maxLength: length });
const one = <const T>(list: readonly T[]) => fc.constantFrom(...list);

const networks: fc.Arbitrary<NetworkRecord[]> = fc.array(
	fc.record({
		layout: fc.constant(1),
		backend: fc.constant('iptables'),
		network: one(['dcos', 'dcos-1', 'plain']),
		bridge: one(devices),
		subnets: some([...subnets[4], ...subnets[6]]),
		overlays: some([...overlays[4], ...overlays[6]]),
		masquerade: fc.boolean(),
		isolation: one(['none', 'network', 'container']),
	}),
	{ maxLength: 3 },
);

const mapping = fc
	.record({
		protocol: one(PROTOCOLS),
		hostPort: one(ports),
		containerPort: one(ports),
		count: one([1, 2, 20]),
		hostIp: one([undefined, '192.0.2.1', '2001:db8::1']),
		families: some([4, 6] as const),
	})
	.map(({ hostIp, ...rest }) =>
		hostIp === undefined ? rest : { ...rest, hostIp, families: [hostIp.includes(':') ? 6 : 4] as const },
	);

const policy = fc.array(
	fc
		.record({
			from: one(labels),
			to: one(labels),
			ports: one([undefined, [{ protocol: 'tcp', first: 80, last: 81 }] as const]),
		})
		.map(({ ports: named, ...rule }) => (named === undefined ? rule : { ...rule, ports: named })),
	{ maxLength: 2 },
);

/** Containers with ports that nobody else has, as it is with all that are recorded. */
const attachments: fc.Arbitrary<AttachmentRecord[]> = fc
	.array(
		fc.record({
			address4: one(addresses[4]),
			address6: one(addresses[6]),
			network: one(['dcos', 'dcos-1']),
			portMappings: fc.array(mapping, { maxLength: 2 }),
			excludeDevices: some(devices, 1),
			masquerade: fc.boolean(),
			isolation: one(['none', 'network', 'container']),
			policy,
			labels: some(labels),
		}),
		{ maxLength: 4 },
	)
	.map((list) =>
		list.map(({ address4, address6, portMappings, ...rest }, at) =>
			attachment({
				...rest,
				containerId: `c${at}`,
				addresses: [address4, address6],
				portMappings: at === 0 ? portMappings : [],
			}),
		),
	);

const packet: fc.Arbitrary<Packet> = one([4, 6] as const).chain((family) => {
	const everywhere = one([...addresses[family], ...addresses[family], ...others[family]]);
	return fc.record({
		family: fc.constant(family),
		source: everywhere,
		destination: everywhere,
		protocol: one(PROTOCOLS),
		port: one(ports),
		device: one(devices),
		isLocal: fc.boolean(),
		isEstablished: one([false, false, true]),
		isTranslated: fc.boolean(),
	});
});

test('packets fare by the rules of iptables as by the sets of nf_tables', (t) => {
	const seen = new Set<string>();
	fc.assert(
		fc.property(networks, attachments, fc.array(packet, { minLength: 8, maxLength: 8 }), (some, all, packets) => {
			const records = { networks: some, attachments: all };
			for (const each of packets) {
				const fate: Fate = fateBySets(records, each);
				t.deepEqual(fateByRules(records, each), fate, JSON.stringify(each));
				for (const [hook, value] of Object.entries(fate))
					seen.add(`${hook} ${value === 'pass' ? value : 'other'}`);
			}
		}),
		{ numRuns: 400 },
	);
	t.is(seen.size, 6, [...seen].join());
});

test('neighbours find each other whatever is forbidden', (t) => {
	const records = { networks: [], attachments: [attachment({ addresses: ['fd00::2'], isolation: 'container' })] };
	const solicitation: Packet = {
		family: 6,
		source: 'fd00::3',
		destination: 'fd00::2',
		protocol: 'ipv6-icmp',
		port: 135,
		device: 'm-dcos',
		isLocal: false,
		isEstablished: false,
		isTranslated: false,
	};
	t.is(fateByRules(records, solicitation).forward, 'pass');
	t.is(fateByRules(records, { ...solicitation, port: 128 }).forward, 'drop');
});
