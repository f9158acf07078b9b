import test from 'ava';
import fc from 'fast-check';
import { CniError } from '../../src/cni/errors.ts';
import { formatAddress } from '../../src/ipam/address.ts';
import { type Half, HALVES, rangeOfHalf, readAgentSubnet } from '../../src/ipam/agent-subnet.ts';
import { formatInRange, inRange } from '../../src/ipam/range.ts';
import { countOf } from '../../src/ipam/span.ts';
import { formatSubnet, lastAddress, readSubnet } from '../../src/ipam/subnet.ts';

const ranges: readonly (readonly [
	agentSubnet: string,
	half: Half,
	subnet: string,
	gateway: string,
	first: string,
	last: string,
])[] = [
	['44.128.0.0/24', 'mesos', '44.128.0.0/25', '44.128.0.1', '44.128.0.2', '44.128.0.126'],
	['44.128.0.0/24', 'docker', '44.128.0.128/25', '44.128.0.129', '44.128.0.130', '44.128.0.254'],
	['44.128.0.0/24', 'all', '44.128.0.0/24', '44.128.0.1', '44.128.0.2', '44.128.0.254'],
	['9.0.1.0/26', 'mesos', '9.0.1.0/27', '9.0.1.1', '9.0.1.2', '9.0.1.30'],
	['9.0.1.0/29', 'docker', '9.0.1.4/30', '9.0.1.5', '9.0.1.6', '9.0.1.6'],
	['9.0.1.0/30', 'all', '9.0.1.0/30', '9.0.1.1', '9.0.1.2', '9.0.1.2'],
	['0.0.0.0/0', 'docker', '128.0.0.0/1', '128.0.0.1', '128.0.0.2', '255.255.255.254'],
	['fd00::/64', 'mesos', 'fd00::/65', 'fd00::1', 'fd00::2', 'fd00::7fff:ffff:ffff:ffff'],
	['fd00::/64', 'docker', 'fd00::8000:0:0:0/65', 'fd00::8000:0:0:1', 'fd00::8000:0:0:2', 'fd00::ffff:ffff:ffff:ffff'],
	['fd00::/125', 'mesos', 'fd00::/126', 'fd00::1', 'fd00::2', 'fd00::3'],
];

for (const [agentSubnet, half, subnet, gateway, first, last] of ranges) {
	test(`of ${agentSubnet}, "${half}" is ${subnet}, and gives ${first} to ${last}`, (t) => {
		const range = rangeOfHalf(readSubnet(agentSubnet, 'key'), half, 'key');
		const { family } = range.subnet;
		t.is(formatSubnet(range.subnet), subnet);
		t.is(formatAddress(range.gateway), gateway);
		t.is(formatAddress({ family, value: range.first }), first);
		t.is(formatAddress({ family, value: range.last }), last);
		t.is(formatInRange(range, range.gateway), `${gateway}/${range.subnet.prefix}`);
	});
}

test('every address of a range is in its half, and is not the network, the gateway or the broadcast address', (t) => {
	const small = fc.record({
		network: fc.nat(0xffffff),
		prefix: fc.integer({ min: 25, max: 29 }),
		half: fc.constantFrom(...HALVES),
	});
	fc.assert(
		fc.property(small, ({ network, prefix, half }) => {
			const agentSubnet = { family: 4 as const, network: (BigInt(network) << 7n) & 0xffffffffn, prefix };
			const range = rangeOfHalf(agentSubnet, half, 'key');
			const { subnet } = range;
			let count = 0n;
			for (let value = agentSubnet.network; value <= lastAddress(agentSubnet); value++) {
				const given = inRange(range, { family: 4, value });
				const inHalf = value >= subnet.network && value <= lastAddress(subnet);
				const special = [subnet.network, range.gateway.value, lastAddress(subnet)].includes(value);
				t.is(given, inHalf && !special);
				if (given) count++;
			}
			t.is(count, countOf([range]));
			t.is(count, 2n ** BigInt(32 - subnet.prefix) - 3n);
		}),
	);
});

test('an address of the other family is in no range', (t) => {
	const range = rangeOfHalf(readSubnet('9.0.1.0/26', 'key'), 'mesos', 'key');
	t.false(inRange(range, { family: 6, value: range.first }));
});

const tooSmall: readonly (readonly [agentSubnet: string, half: Half, why: string])[] = [
	[
		'9.0.1.0/30',
		'mesos',
		'is too small: its half "mesos" has no room for a gateway and a container, its prefix length can be 29 at most',
	],
	[
		'9.0.1.0/32',
		'docker',
		'is too small: its half "docker" has no room for a gateway and a container, its prefix length can be 29 at most',
	],
	[
		'9.0.1.0/31',
		'all',
		'is too small: it has no room for a gateway and a container, its prefix length can be 30 at most',
	],
	[
		'fd00::/126',
		'mesos',
		'is too small: its half "mesos" has no room for a gateway and a container, its prefix length can be 125 at most',
	],
	[
		'fd00::/127',
		'all',
		'is too small: it has no room for a gateway and a container, its prefix length can be 126 at most',
	],
];

for (const [agentSubnet, half, why] of tooSmall) {
	test(`${agentSubnet} ${why}`, (t) => {
		const error = t.throws(() => rangeOfHalf(readSubnet(agentSubnet, 'key'), half, 'ipam.agentSubnet'), {
			instanceOf: CniError,
		});
		t.is(error?.message, `reading ipam.agentSubnet: "${agentSubnet}" ${why}`);
		t.is(error?.code, 7);
	});
}

const rules = {
	overlay: readSubnet('9.0.0.0/8', 'key'),
	overlayKey: 'ipam.overlay',
	prefix: 26,
	prefixKey: 'ipam.prefix',
};

for (const [text, why] of [
	['10.0.1.0/26', 'is not inside the overlay "9.0.0.0/8", take a part of it or set ipam.overlay'],
	['8.0.0.0/7', 'is not inside the overlay "9.0.0.0/8", take a part of it or set ipam.overlay'],
	['9.0.1.0/24', 'has not the prefix length 26, set ipam.prefix to 24'],
	['9.0.1.5/26', 'is not aligned, write "9.0.1.0/26"'],
] as const) {
	test(`the agent subnet ${text} ${why}`, (t) => {
		const error = t.throws(() => readAgentSubnet(text, 'ipam.agentSubnet', 4, rules), { instanceOf: CniError });
		t.is(error?.message, `reading ipam.agentSubnet: "${text}" ${why}`);
	});
}
