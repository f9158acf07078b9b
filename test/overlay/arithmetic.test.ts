// The original's arithmetic: VTEP addresses and MACs, agent subnets and their halves, by the examples of its documentation.
import test from 'ava';
import fc from 'fast-check';
import { rangeOfHalf } from '../../src/ipam/agent-subnet.ts';
import { formatSubnet } from '../../src/ipam/subnet.ts';
import { documentAgent } from '../../src/overlay/document-state.ts';
import { agentSubnetsOf, blockAt, indexesWithin, indexOf, vtepAddressesOf } from '../../src/overlay/space.ts';
import { subnetOf } from '../../src/overlay/subnet-text.ts';
import { documentExample, registerOne, stateOf } from './states.ts';

/** What the k-th agent to register is given, counted from 0, as the state shows it. */
function overlaysOf(members: object, k: number) {
	const state = stateOf(members);
	let last = registerOne(state, '10.0.0.1');
	for (let at = 1; at <= k; at++) last = registerOne(state, `10.0.${at >> 8}.${(at & 0xff) + 1}`);
	const networks = [...state.networks.values()];
	return documentAgent(last.agent!, state.vtep!, networks, new Map()).overlays.map(
		({ backend, subnet, subnet6, mesos_bridge, docker_bridge }) => {
			const { vtep_ip, vtep_ip6, vtep_mac } = backend.vxlan;
			return { vtep_ip, vtep_ip6, vtep_mac, subnet, subnet6, mesos: mesos_bridge, docker: docker_bridge };
		},
	);
}

interface Expected {
	vtep_ip: string;
	vtep_mac: string;
	subnet: string;
	mesos: string;
	docker: string;
}

const ipv4 = test.macro<[subnet: string, prefix: number, vtep: string, k: number, expected: Expected]>({
	exec(t, subnet, prefix, vtep, k, { mesos, docker, ...expected }) {
		const overlays = [{ name: 'dcos', subnet, prefix }];
		const [overlay] = overlaysOf({ ...documentExample, vtep_subnet: vtep, overlays }, k);
		t.like(overlay, expected);
		t.deepEqual(overlay?.mesos, { ip: mesos, name: 'm-dcos' });
		t.deepEqual(overlay?.docker, { ip: docker, name: 'd-dcos' });
	},
	title: (_, subnet, prefix, _vtep, k) => `agent ${k} of ${subnet} in /${prefix}`,
});

test(ipv4, '44.128.0.0/16', 24, '198.15.0.0/20', 0, {
	vtep_ip: '198.15.0.1/20',
	vtep_mac: '70:b3:d5:0f:00:01',
	subnet: '44.128.0.0/24',
	mesos: '44.128.0.0/25',
	docker: '44.128.0.128/25',
});
test(ipv4, '44.128.0.0/16', 24, '198.15.0.0/20', 2, {
	vtep_ip: '198.15.0.3/20',
	vtep_mac: '70:b3:d5:0f:00:03',
	subnet: '44.128.2.0/24',
	mesos: '44.128.2.0/25',
	docker: '44.128.2.128/25',
});
test(ipv4, '9.0.0.0/8', 24, '44.128.0.0/20', 1, {
	vtep_ip: '44.128.0.2/20',
	vtep_mac: '70:b3:d5:80:00:02',
	subnet: '9.0.1.0/24',
	mesos: '9.0.1.0/25',
	docker: '9.0.1.128/25',
});
test(ipv4, '9.0.0.0/8', 24, '44.128.0.0/20', 255, {
	vtep_ip: '44.128.1.0/20',
	vtep_mac: '70:b3:d5:80:01:00',
	subnet: '9.0.255.0/24',
	mesos: '9.0.255.0/25',
	docker: '9.0.255.128/25',
});
test(ipv4, '9.0.0.0/8', 26, '44.128.0.0/20', 0, {
	vtep_ip: '44.128.0.1/20',
	vtep_mac: '70:b3:d5:80:00:01',
	subnet: '9.0.0.0/26',
	mesos: '9.0.0.0/27',
	docker: '9.0.0.32/27',
});
test(ipv4, '9.0.0.0/8', 26, '44.128.0.0/20', 1, {
	vtep_ip: '44.128.0.2/20',
	vtep_mac: '70:b3:d5:80:00:02',
	subnet: '9.0.0.64/26',
	mesos: '9.0.0.64/27',
	docker: '9.0.0.96/27',
});

const ipv6Example = {
	...documentExample,
	vtep_subnet6: 'fd01:a::/64',
	overlays: [{ name: 'dcos6', subnet6: 'fd01:b::/64', prefix6: 80 }],
};

test('an IPv6 network, by the example', (t) => {
	t.deepEqual(overlaysOf(ipv6Example, 1), [
		{
			vtep_ip: '44.128.0.2/20',
			vtep_ip6: 'fd01:a::2/64',
			vtep_mac: '70:b3:d5:80:00:02',
			subnet: undefined,
			subnet6: 'fd01:b:0:0:1::/80',
			mesos: { ip6: 'fd01:b:0:0:1::/81', name: 'm-dcos6' },
			docker: { ip6: 'fd01:b::1:8000:0:0/81', name: 'd-dcos6' },
		},
	]);
});

test('IPv6 subnets go on after the 256th, where those of the original jumped', (t) => {
	t.is(overlaysOf(ipv6Example, 256)[0]?.subnet6, 'fd01:b:0:0:100::/80');
	const space = agentSubnetsOf({ subnet: subnetOf('fd01:b::/64'), prefix: 80 });
	t.is(space.given.last, 65_535n);
	t.is(formatSubnet(blockAt(space, 65_535n)), 'fd01:b:0:0:ffff::/80');
	const vteps = vtepAddressesOf(subnetOf('fd01:a::/64'));
	t.is(formatSubnet(blockAt(vteps, 2_040n)), 'fd01:a::7f8/128');
	t.is(vteps.given.last, 2n ** 64n - 2n);
});

test('prefix lengths that are no multiple of 8', (t) => {
	for (const prefix of [65, 66, 68, 71, 77]) {
		const space = agentSubnetsOf({ subnet: subnetOf('fd01:b::/64'), prefix });
		const blocks = Array.from({ length: Math.min(600, 2 ** (prefix - 64)) }, (_, at) => blockAt(space, BigInt(at)));
		t.is(new Set(blocks.map(formatSubnet)).size, blocks.length, `${prefix}`);
		for (const [at, block] of blocks.entries()) t.is(indexOf(space, block), BigInt(at));
	}
});

test('of VTEP addresses the first and the last are nobody’s, of agent subnets all can be given', (t) => {
	const vteps = vtepAddressesOf(subnetOf('44.128.0.0/29'));
	t.deepEqual(vteps.given, { first: 1n, last: 6n });
	t.is(indexOf(vteps, subnetOf('44.128.0.0/32')), undefined);
	t.is(indexOf(vteps, subnetOf('44.128.0.7/32')), undefined);
	const subnets = agentSubnetsOf({ subnet: subnetOf('9.0.0.0/8'), prefix: 26 });
	t.is(indexOf(subnets, subnetOf('9.0.0.0/26')), 0n);
	t.is(indexOf(subnets, subnetOf('9.255.255.192/26')), 2n ** 18n - 1n);
	t.is(indexOf(subnets, subnetOf('9.0.0.0/27')), undefined);
	t.is(indexOf(subnets, subnetOf('10.0.0.0/26')), undefined);
});

const spaces = fc
	.constantFrom('9.0.0.0/8', '192.168.0.0/16', 'fd01:b::/64', 'fd00::/8')
	.map(subnetOf)
	.chain((subnet) =>
		fc.record({
			subnet: fc.constant(subnet),
			prefix: fc.integer({ min: subnet.prefix, max: subnet.family === 4 ? 29 : 125 }),
		}),
	)
	.map(agentSubnetsOf);
const spaceAndIndex = spaces.chain((space) => fc.tuple(fc.constant(space), fc.bigInt(0n, space.given.last)));

test('a block’s index leads back to the block, and covers nothing but it', (t) => {
	fc.assert(
		fc.property(spaceAndIndex, ([space, index]) => {
			const block = blockAt(space, index);
			t.is(indexOf(space, block), index);
			t.deepEqual(indexesWithin(space, block), { first: index, last: index });
		}),
	);
	t.pass();
});

test('the halves are those that the plugins use', (t) => {
	const state = stateOf(documentExample);
	const { agent } = registerOne(state, '10.0.0.1');
	const [overlay] = documentAgent(agent!, state.vtep!, [...state.networks.values()], new Map()).overlays;
	const subnet = subnetOf(overlay?.subnet ?? '');
	t.is(overlay?.mesos_bridge?.ip, formatSubnet(rangeOfHalf(subnet, 'mesos', 'key').subnet));
	t.is(overlay?.docker_bridge?.ip, formatSubnet(rangeOfHalf(subnet, 'docker', 'key').subnet));
});
