import test from 'ava';
import fc from 'fast-check';
import { elementsOfAttachment, elementsOfNetworks, elementsOfPolicy, widest } from '../../src/nat/elements.ts';
import { contains, networkOf, parseCidr } from '../../src/ip/cidr.ts';
import { formatIp } from '../../src/ip/address.ts';
import { attachment, dcos } from './records-of.ts';

const http = { protocol: 'tcp', hostPort: 8080, containerPort: 80, count: 1, families: [4, 6] } as const;

test('a container without wishes has no elements', (t) => {
	t.deepEqual(elementsOfAttachment(attachment()), []);
});

test('a port is mapped for each family that the container has', (t) => {
	const both = attachment({ addresses: ['9.0.1.2', 'fd00::2'], portMappings: [http] });
	t.deepEqual(elementsOfAttachment(both), [
		{ set: 'host_ports4', key: ['tcp', 8080], data: ['9.0.1.2', 80] },
		{ set: 'host_ports6', key: ['tcp', 8080], data: ['fd00::2', 80] },
	]);
	t.deepEqual(elementsOfAttachment(attachment({ portMappings: [http] })), [
		{ set: 'host_ports4', key: ['tcp', 8080], data: ['9.0.1.2', 80] },
	]);
});

test('a port of every address of the host, or of a loopback address, is reached by loopback, too', (t) => {
	const gateways = ['9.0.1.1'];
	const { families: _, ...rest } = http;
	const sources = (hostIp?: string) =>
		elementsOfAttachment(
			attachment({ gateways, portMappings: [{ ...rest, ...(hostIp && { hostIp }), families: [4] }] }),
		).slice(1);
	t.deepEqual(sources(), [{ set: 'loopback_sources4', key: ['tcp', 8080], data: ['9.0.1.1'] }]);
	t.deepEqual(sources('127.0.0.2'), [
		{ set: 'loopback_ip_sources4', key: ['127.0.0.2', 'tcp', 8080], data: ['9.0.1.1'] },
	]);
	t.deepEqual(sources('192.0.2.1'), []);
});

test('a port of one address of the host has that address in its key', (t) => {
	const { families: _, ...rest } = http;
	const record = attachment({ portMappings: [{ ...rest, hostIp: '192.0.2.1', families: [4] }] });
	t.deepEqual(elementsOfAttachment(record), [
		{ set: 'host_ip_ports4', key: ['192.0.2.1', 'tcp', 8080], data: ['9.0.1.2', 80] },
	]);
});

test('a range has an element a port, and each excluded device has one, too', (t) => {
	const record = attachment({ portMappings: [{ ...http, families: [4], count: 2 }], excludeDevices: ['m-dcos'] });
	t.deepEqual(elementsOfAttachment(record), [
		{ set: 'host_ports4', key: ['tcp', 8080], data: ['9.0.1.2', 80] },
		{ set: 'host_ports4', key: ['tcp', 8081], data: ['9.0.1.2', 81] },
		{ set: 'excluded_devices', key: ['m-dcos', 'tcp', 8080] },
		{ set: 'excluded_devices', key: ['m-dcos', 'tcp', 8081] },
	]);
});

test('addresses are masqueraded and isolated one by one', (t) => {
	const record = attachment({ addresses: ['9.0.1.2', 'fd00::2'], masquerade: true, isolation: 'container' });
	t.deepEqual(elementsOfAttachment(record), [
		{ set: 'masqueraded4', key: ['9.0.1.2'] },
		{ set: 'isolated4', key: ['9.0.1.2'] },
		{ set: 'masqueraded6', key: ['fd00::2'] },
		{ set: 'isolated6', key: ['fd00::2'] },
	]);
});

test('a network has its overlay, its subnet, and the pair that tells neighbours on the bridge', (t) => {
	t.deepEqual(elementsOfNetworks([dcos]), [
		{ set: 'overlays4', key: ['9.0.0.0/8'] },
		{ set: 'masqueraded_overlays4', key: ['9.0.0.0/8'] },
		{ set: 'containers4', key: ['9.0.0.0/8'] },
		{ set: 'subnets4', key: ['9.0.1.0/27'] },
		{ set: 'same_bridge4', key: ['9.0.1.0/27', '9.0.1.0/27'] },
		{ set: 'bridges', key: ['m-dcos'] },
	]);
});

test('a closed network is closed on all hosts', (t) => {
	const closed = elementsOfNetworks([{ ...dcos, isolation: 'network' }]);
	t.deepEqual(closed.slice(-3), [
		{ set: 'closed4', key: ['9.0.0.0/8'] },
		{ set: 'same_network4', key: ['9.0.0.0/8', '9.0.0.0/8'] },
		{ set: 'bridges', key: ['m-dcos'] },
	]);
});

test('of a network that is no overlay the subnet is all', (t) => {
	const alone = { ...dcos, overlays: [], subnets: ['10.1.0.0/24', 'fd01::/64'], isolation: 'network' } as const;
	const sets = Object.fromEntries(elementsOfNetworks([alone]).map(({ set, key }) => [set, key[0]]));
	t.deepEqual(sets, {
		containers4: '10.1.0.0/24',
		containers6: 'fd01::/64',
		subnets4: '10.1.0.0/24',
		subnets6: 'fd01::/64',
		same_bridge4: '10.1.0.0/24',
		same_bridge6: 'fd01::/64',
		closed4: '10.1.0.0/24',
		closed6: 'fd01::/64',
		same_network4: '10.1.0.0/24',
		same_network6: 'fd01::/64',
		bridges: 'm-dcos',
	});
});

const cidr = fc
	.tuple(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.integer({ min: 4, max: 30 }))
	.map(([ip, prefix]) => `${formatIp(networkOf({ ip, prefix }))}/${prefix}`);

test('the widest subnets hold all the others and do not overlap', (t) => {
	fc.assert(
		fc.property(fc.array(cidr, { maxLength: 12 }), (cidrs) => {
			const kept = widest(cidrs);
			const holds = (outer: string, inner: string): boolean => {
				const [one, other] = [parseCidr(outer), parseCidr(inner)];
				return (
					one !== undefined && other !== undefined && one.prefix <= other.prefix && contains(one, other.ip)
				);
			};
			t.true(cidrs.every((each) => kept.some((outer) => holds(outer, each))));
			t.true(kept.every((one) => kept.every((other) => one === other || !holds(one, other))));
		}),
	);
});

const policy = [{ from: 'app=web', to: 'app=db', ports: [{ protocol: 'tcp', first: 5432, last: 5433 }] }] as const;
const web = attachment({ containerId: 'web', addresses: ['9.0.1.2'], policy, labels: ['app=web'] });
const db = attachment({ containerId: 'db', addresses: ['9.0.1.3'], policy, labels: ['app=db'] });

test('whom a policy protects is guarded, and nobody else', (t) => {
	t.deepEqual(elementsOfAttachment(db), [{ set: 'guarded4', key: ['9.0.1.3'] }]);
	t.deepEqual(elementsOfAttachment(web), []);
});

test('a policy lets the one reach the other, whichever comes last', (t) => {
	const allowed = [
		{ set: 'allowed_ports4', key: ['9.0.1.2', '9.0.1.3', 'tcp', 5432] },
		{ set: 'allowed_ports4', key: ['9.0.1.2', '9.0.1.3', 'tcp', 5433] },
	] as const;
	t.deepEqual(elementsOfPolicy(web, [web, db]), [...allowed]);
	t.deepEqual(elementsOfPolicy(db, [web, db]), [...allowed]);
});

test('without ports, a pair is allowed as a whole', (t) => {
	const open = { ...db, policy: [{ from: 'app=web', to: 'app=db' }] };
	t.deepEqual(elementsOfPolicy(open, [web, open]), [{ set: 'allowed_pairs4', key: ['9.0.1.2', '9.0.1.3'] }]);
});

test('it is the policy of the one that is reached which counts, and only in its own network', (t) => {
	t.deepEqual(elementsOfPolicy(web, [web, { ...db, policy: [] }]), []);
	t.deepEqual(elementsOfPolicy(web, [web, { ...db, network: 'dcos-1' }]), []);
});
