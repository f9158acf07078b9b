import test from 'ava';
import fc from 'fast-check';
import { CniError } from '../../src/cni/errors.ts';
import { contains, formatSubnet, lastAddress, readSubnet, splitSubnet, type Subnet } from '../../src/ipam/subnet.ts';

const bits = { 4: 32, 6: 128 } as const;

/** Any subnet of either family. */
const subnets = fc
	.constantFrom(4 as const, 6 as const)
	.chain((family) =>
		fc.record({
			family: fc.constant(family),
			prefix: fc.nat(bits[family]),
			address: fc.bigInt({ min: 0n, max: 2n ** BigInt(bits[family]) - 1n }),
		}),
	)
	.map(({ family, prefix, address }): Subnet => ({
		family,
		prefix,
		network: address - (address % sizeOf({ family, prefix })),
	}));

function sizeOf({ family, prefix }: Pick<Subnet, 'family' | 'prefix'>): bigint {
	return 2n ** BigInt(bits[family] - prefix);
}

test('a subnet is read from its own text, and ends where the next one begins', (t) => {
	fc.assert(
		fc.property(subnets, (subnet) => {
			// An IPv4-mapped prefix reads as IPv4.
			if (subnet.family === 6 && subnet.prefix >= 96 && subnet.network >> 32n === 0xffffn) return;
			t.deepEqual(readSubnet(formatSubnet(subnet), 'key'), subnet);
			t.is(lastAddress(subnet) + 1n, subnet.network + sizeOf(subnet));
		}),
	);
});

test('two subnets of a family are one in the other, or have nothing in common', (t) => {
	fc.assert(
		fc.property(subnets, subnets, (one, other) => {
			const apart = lastAddress(one) < other.network || lastAddress(other) < one.network;
			t.is(contains(one, other) || contains(other, one), one.family === other.family && !apart);
			t.is(contains(one, other), one.family === other.family && one.prefix <= other.prefix && !apart);
		}),
	);
});

test('the halves of a subnet are equal, adjacent, and all of it', (t) => {
	fc.assert(
		fc.property(subnets, (subnet) => {
			const halves = splitSubnet(subnet);
			if (halves === undefined) return t.is(sizeOf(subnet), 1n);
			const [low, high] = halves;
			t.is(low.network, subnet.network);
			t.is(lastAddress(low) + 1n, high.network);
			t.is(lastAddress(high), lastAddress(subnet));
			t.is(sizeOf(low), sizeOf(high));
		}),
	);
});

const mistakes: Readonly<Record<string, readonly [family: 4 | 6 | undefined, why: string]>> = {
	'9.0.1.0': [4, 'is not an IPv4 subnet, write it as "9.0.1.0/26"'],
	'9.0.1.0/': [undefined, 'is not a subnet, write it as "9.0.1.0/26"'],
	'9.0.1.0/33': [4, 'is not an IPv4 subnet, write it as "9.0.1.0/26"'],
	'9.0.1.0/026': [4, 'is not an IPv4 subnet, write it as "9.0.1.0/26"'],
	'9.0.1.0/-1': [4, 'is not an IPv4 subnet, write it as "9.0.1.0/26"'],
	'9.0.1.0/26/1': [4, 'is not an IPv4 subnet, write it as "9.0.1.0/26"'],
	'9.1/16': [4, 'is not an IPv4 subnet, write it as "9.0.1.0/26"'],
	'9.00.1.0/26': [4, 'is not an IPv4 subnet, write it as "9.0.1.0/26"'],
	'fd00::/64': [4, 'is not an IPv4 subnet, write it as "9.0.1.0/26"'],
	'9.0.1.0/26': [6, 'is not an IPv6 subnet, write it as "fd00:9::/64"'],
	'fd00::/129': [6, 'is not an IPv6 subnet, write it as "fd00:9::/64"'],
	'::ffff:9.0.0.0/95': [undefined, 'is not a subnet, write it as "9.0.1.0/26"'],
	'9.0.1.5/26': [4, 'is not aligned, write "9.0.1.0/26"'],
	'fd00::1/64': [6, 'is not aligned, write "fd00::/64"'],
};

for (const [text, [family, why]] of Object.entries(mistakes)) {
	test(`"${text}" is refused where IPv${family ?? '4 or IPv6'} is wanted: it ${why}`, (t) => {
		const error = t.throws(() => readSubnet(text, 'ipam.agentSubnet', family), { instanceOf: CniError });
		t.is(error?.message, `reading ipam.agentSubnet: "${text}" ${why}`);
		t.is(error?.code, 7);
	});
}

test('an IPv4-mapped subnet is the IPv4 subnet', (t) => {
	t.is(formatSubnet(readSubnet('::ffff:9.0.0.0/104', 'key')), '9.0.0.0/8');
});
