import test from 'ava';
import fc from 'fast-check';
import { fieldsOf } from '../../src/cni/fields.ts';
import { type Address, ADDRESS_BITS, type Family, formatAddress } from '../../src/ipam/address.ts';
import { HALVES, rangeOfHalf } from '../../src/ipam/agent-subnet.ts';
import { formatInRange } from '../../src/ipam/range.ts';
import { inSet, rangeSet, sizeOfSet } from '../../src/ipam/range-set.ts';
import { isRouted, onLinkRoutes, readOnLinkGateways, routedAddresses } from '../../src/ipam/routed.ts';
import { formatSubnet, lastAddress, readSubnet, type Subnet } from '../../src/ipam/subnet.ts';
import { refuses } from '../cni/assertions.ts';

const fields = (addressing: unknown) => fieldsOf({ addressing }, 'ipam.');
const gatewaysOf = (network: string) => {
	const gateways = readOnLinkGateways(fields('routed'), network);
	if (gateways === undefined) throw new Error('not routed');
	return gateways;
};

const families = fc.constantFrom<Family>(4, 6);
const subnets = families.chain((family) =>
	fc
		.tuple(fc.bigInt(0n, 2n ** BigInt(ADDRESS_BITS[family]) - 1n), fc.nat(ADDRESS_BITS[family]))
		.map(([value, prefix]): Subnet => {
			const host = BigInt(ADDRESS_BITS[family] - prefix);
			return { family, network: (value >> host) << host, prefix };
		}),
);
const names = fc.stringMatching(/^[a-z0-9][a-z0-9_.-]{0,12}$/);

test('addresses are bridged unless said otherwise', (t) => {
	t.false(isRouted(undefined));
	t.false(isRouted(fieldsOf({}, 'ipam.')));
	t.false(isRouted(fields('bridged')));
	t.true(isRouted(fields('routed')));
	t.is(readOnLinkGateways(fields('bridged'), 'dcos'), undefined);
	refuses(
		t,
		() => isRouted(fields('flat')),
		7,
		'reading ipam.addressing: expected one of "bridged", "routed", got "flat"',
	);
	refuses(t, () => isRouted(fields(1)), 7, 'reading ipam.addressing: expected a string, got 1');
	t.false(isRouted({ ...fields('flat'), lenient: true }));
});

test('a gateway is link-local, the same for the same name, and not one that clouds use', (t) => {
	const property = fc.property(names, (name) => {
		const gateways = gatewaysOf(name);
		t.deepEqual(gatewaysOf(name), gateways);
		const [first, second, third = 0, fourth = 0] = formatAddress(gateways[4]).split('.').map(Number);
		t.deepEqual([first, second], [169, 254]);
		t.true(third >= 32 && third <= 63 && fourth >= 1 && fourth <= 254, formatAddress(gateways[4]));
		t.is(formatAddress(gateways[6]), 'fe80::1');
	});
	fc.assert(property);
});

test('networks have different gateways, but for one pair in thousands', (t) => {
	const gateways = Array.from({ length: 100 }, (_, at) => formatAddress(gatewaysOf(`network-${at}`)[4]));
	t.true(new Set(gateways).size > 96);
});

test('all of a half is given to containers, and nothing beside it', (t) => {
	const property = fc.property(subnets, fc.constantFrom(...HALVES), names, (agentSubnet, half, name) => {
		const { family, prefix } = agentSubnet;
		if (half !== 'all' && prefix === ADDRESS_BITS[family]) return;
		const gateways = gatewaysOf(name);
		const range = rangeOfHalf(agentSubnet, half, 'key', gateways);
		const set = rangeSet(family, [range]);
		const length = half === 'all' ? prefix : prefix + 1;
		t.is(range.subnet.prefix, length);
		t.is(sizeOfSet(set), 2n ** BigInt(ADDRESS_BITS[family] - length));
		t.true(half === 'docker' || range.first === agentSubnet.network);
		t.true(half === 'mesos' || range.last === lastAddress(agentSubnet));
		const given = (value: bigint): boolean => inSet(set, { family, value });
		t.true(given(range.first) && given(range.last));
		t.false(given(range.first - 1n) || given(range.last + 1n));
		t.deepEqual(range.gateway, gateways[family]);
		const address: Address = { family, value: range.last };
		t.is(formatInRange(range, address), `${formatAddress(address)}/${ADDRESS_BITS[family]}`);
		t.deepEqual(routedAddresses([set], [address]), [
			{
				address: formatAddress(address),
				subnet: formatSubnet(range.subnet),
				gateway: formatAddress(gateways[family]),
			},
		]);
	});
	fc.assert(property);
});

test('a single address has no half', (t) => {
	for (const [agentSubnet, longest] of [
		['9.0.1.7/32', 31],
		['fd00::7/128', 127],
	] as const) {
		refuses(
			t,
			() => rangeOfHalf(readSubnet(agentSubnet, 'key'), 'docker', 'ipam.agentSubnet', gatewaysOf('dcos')),
			7,
			`reading ipam.agentSubnet: "${agentSubnet}" is too small: its half "docker" has no room for a container, its prefix length can be ${longest} at most`,
		);
	}
});

test('of bridged addresses the host has to know nothing', (t) => {
	const range = rangeOfHalf(readSubnet('9.0.1.0/26', 'key'), 'mesos', 'key');
	t.deepEqual(routedAddresses([rangeSet(4, [range])], [{ family: 4, value: range.first }]), []);
	t.deepEqual(onLinkRoutes([]), []);
});

test('an address is routed with the range in which it lies', (t) => {
	const gateways = gatewaysOf('dcos');
	const [one, two, six] = ['9.0.1.0/27', '9.0.9.0/28', 'fd00:9::/64'].map((text) =>
		rangeOfHalf(readSubnet(text, 'key'), 'all', 'key', gateways),
	);
	if (!one || !two || !six) throw new Error('ranges are missing');
	const sets = [rangeSet(4, [one, two]), rangeSet(6, [six])];
	const addresses = [two.last, six.first].map((value, at): Address => ({ family: at === 0 ? 4 : 6, value }));
	const gateway = formatAddress(gateways[4]);
	t.deepEqual(routedAddresses(sets, addresses), [
		{ address: '9.0.9.15', subnet: '9.0.9.0/28', gateway },
		{ address: 'fd00:9::', subnet: 'fd00:9::/64', gateway: 'fe80::1' },
	]);
	t.deepEqual(routedAddresses(sets, [{ family: 4, value: one.last + 1n }]), [], 'of no range');
});

test('a route leads to each gateway, once, and names no gateway itself', (t) => {
	const routed = [
		{ address: '9.0.1.5', subnet: '9.0.1.0/27', gateway: '169.254.40.7' },
		{ address: '9.0.9.5', subnet: '9.0.9.0/27', gateway: '169.254.40.7' },
		{ address: 'fd00::5', subnet: 'fd00::/64', gateway: 'fe80::1' },
	];
	t.deepEqual(onLinkRoutes(routed), [
		{ dst: '169.254.40.7/32', gw: '0.0.0.0', scope: 253 },
		{ dst: 'fe80::1/128', scope: 253 },
	]);
});
