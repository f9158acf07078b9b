import test from 'ava';
import fc from 'fast-check';
import { CniError } from '../../src/cni/errors.ts';
import { fieldsOf } from '../../src/cni/fields.ts';
import { formatAddress } from '../../src/ipam/address.ts';
import { namesRanges, readConfiguredSets } from '../../src/ipam/configured-ranges.ts';
import { formatSubnet, lastAddress, readSubnet } from '../../src/ipam/subnet.ts';
import { configurationOf, minimal } from '../cni/requests.ts';

function networkOf(ipam: Record<string, unknown>, ipRanges?: unknown) {
	const network = configurationOf({
		...minimal,
		ipam,
		...(ipRanges !== undefined && { runtimeConfig: { ipRanges } }),
	});
	return [network, network.ipam ?? fieldsOf({}, 'ipam.')] as const;
}

/** The sets as text: `10.1.2.0/24 10.1.2.1-10.1.2.254 by 10.1.2.1`, in lists. */
function read(ipam: Record<string, unknown>, ipRanges?: unknown): string[][] {
	return readConfiguredSets(...networkOf(ipam, ipRanges)).map(({ family, ranges }) =>
		ranges.map(({ subnet, first, last, gateway }) => {
			const text = (value: bigint): string => formatAddress({ family, value });
			return `${formatSubnet(subnet)} ${text(first)}-${text(last)} by ${formatAddress(gateway)}`;
		}),
	);
}

const whole = { subnet: '10.1.2.0/24' };
const other = { subnet: '10.1.3.0/24' };

for (const [title, range, text] of [
	['an IPv4 subnet', { subnet: '192.0.2.0/24' }, '192.0.2.0/24 192.0.2.1-192.0.2.254 by 192.0.2.1'],
	['a small one', { subnet: '192.0.2.0/25' }, '192.0.2.0/25 192.0.2.1-192.0.2.126 by 192.0.2.1'],
	['the smallest', { subnet: '192.0.2.4/30' }, '192.0.2.4/30 192.0.2.5-192.0.2.6 by 192.0.2.5'],
	[
		'an IPv6 subnet',
		{ subnet: '2001:DB8:1::/64' },
		'2001:db8:1::/64 2001:db8:1::1-2001:db8:1:0:ffff:ffff:ffff:ffff by 2001:db8:1::1',
	],
	['the smallest of IPv6', { subnet: 'fd00::4/126' }, 'fd00::4/126 fd00::5-fd00::7 by fd00::5'],
	[
		'everything given',
		{ ...whole, rangeStart: '10.1.2.40', rangeEnd: '10.1.2.50', gateway: '10.1.2.254' },
		'10.1.2.0/24 10.1.2.40-10.1.2.50 by 10.1.2.254',
	],
	[
		'a single address',
		{ ...whole, rangeStart: '10.1.2.9', rangeEnd: '10.1.2.9' },
		'10.1.2.0/24 10.1.2.9-10.1.2.9 by 10.1.2.1',
	],
	['a gateway elsewhere', { ...whole, gateway: '10.9.9.9' }, '10.1.2.0/24 10.1.2.1-10.1.2.254 by 10.9.9.9'],
	[
		'keys in another case, null and ""',
		{ SUBNET: '10.1.2.0/24', rangeStart: null, gateway: '' },
		'10.1.2.0/24 10.1.2.1-10.1.2.254 by 10.1.2.1',
	],
	[
		'IPv4-mapped addresses',
		{ ...whole, rangeStart: '::ffff:10.1.2.9' },
		'10.1.2.0/24 10.1.2.9-10.1.2.254 by 10.1.2.1',
	],
	[
		'the network and the broadcast address, which nobody gets',
		{ ...whole, rangeStart: '10.1.2.0', rangeEnd: '10.1.2.255' },
		'10.1.2.0/24 10.1.2.1-10.1.2.254 by 10.1.2.1',
	],
] as const) {
	test(`a range by ${title}`, (t) => {
		t.deepEqual(read({ ranges: [[range]] }), [[text]]);
		t.deepEqual(read({}, [[range]]), [[text]]);
		t.deepEqual(read({ ...range }), [[text]]);
	});
}

test('a range without limits is its subnet without network and broadcast address', (t) => {
	fc.assert(
		fc.property(fc.nat(0xffffffff), fc.integer({ min: 0, max: 30 }), (address, prefix) => {
			const mask = (1n << BigInt(32 - prefix)) - 1n;
			const subnet = readSubnet(
				`${formatAddress({ family: 4, value: BigInt(address) & ~mask })}/${prefix}`,
				'key',
			);
			const [set] = readConfiguredSets(...networkOf({ subnet: formatSubnet(subnet) }));
			t.like(set?.ranges[0], { subnet, first: subnet.network + 1n, last: lastAddress(subnet) - 1n });
		}),
	);
});

const text = '10.1.2.0/24 10.1.2.1-10.1.2.254 by 10.1.2.1';
const otherText = '10.1.3.0/24 10.1.3.1-10.1.3.254 by 10.1.3.1';
const ipv6 = { subnet: 'fd00::/64' };
const ipv6Text = 'fd00::/64 fd00::1-fd00::ffff:ffff:ffff:ffff by fd00::1';

test('the sets of the runtime come first, then the flat one, then the listed ones', (t) => {
	t.deepEqual(read({ ranges: [[whole, other]] }), [[text, otherText]]);
	t.deepEqual(read({ ranges: [[whole], [ipv6]], ...other }), [[otherText], [text], [ipv6Text]]);
	t.deepEqual(read({ ranges: [[whole]], ...other }, [[ipv6]]), [[ipv6Text], [otherText], [text]]);
});

test('parts of one subnet that do not overlap are ranges of one set, or of two', (t) => {
	const low = { ...whole, rangeEnd: '10.1.2.100' };
	const high = { ...whole, rangeStart: '10.1.2.101' };
	t.is(read({ ranges: [[high, low]] })[0]?.length, 2);
	t.is(read({ ranges: [[high], [low]] }).length, 2);
});

test('whether a network names ranges', (t) => {
	for (const [ipam, ipRanges, names] of [
		[{}, undefined, false],
		[{ ranges: null, subnet: '', rangeStart: null, gateway: '' }, [], false],
		[{ ranges: [] }, undefined, true],
		[{ ranges: [[whole]] }, undefined, true],
		[whole, undefined, true],
		[{ gateway: '10.1.2.1' }, undefined, true],
		[{}, [[whole]], true],
	] as const) {
		t.is(namesRanges(...networkOf(ipam, ipRanges)), names, JSON.stringify(ipam));
	}
});

const mistakes: readonly (readonly [ipam: Record<string, unknown>, message: string, code?: number])[] = [
	[{ ranges: {} }, 'ipam.ranges: expected a list, got an object'],
	[{ ranges: [whole] }, 'ipam.ranges[0]: expected a list, got an object'],
	[{ ranges: [[whole], null] }, 'ipam.ranges[1]: expected a list, got null'],
	[{ ranges: [[whole], []] }, 'ipam.ranges[1]: a set needs a range, add one or leave the set out'],
	[{ ranges: [['10.1.2.0/24']] }, 'ipam.ranges[0][0]: expected an object, got "10.1.2.0/24"'],
	[{ ranges: [[{}]] }, 'ipam.ranges[0][0].subnet: expected a subnet such as 10.1.2.0/24, got nothing'],
	[{ ranges: [[{ subnet: 5 }]] }, 'ipam.ranges[0][0].subnet: expected a string, got 5'],
	[
		{ ranges: [[whole, { subnet: '10.1.2.0' }]] },
		'ipam.ranges[0][1].subnet: "10.1.2.0" is not a subnet, write it as "9.0.1.0/26"',
	],
	[{ subnet: '10.1.2.1/24' }, 'ipam.subnet: "10.1.2.1/24" is not aligned, write "10.1.2.0/24"'],
	[{ subnet: 'fd00::1/64' }, 'ipam.subnet: "fd00::1/64" is not aligned, write "fd00::/64"'],
	[{ subnet: '10.1.2.2/31' }, 'ipam.subnet: "10.1.2.2/31" is too small, its prefix length can be 30 at most'],
	[{ subnet: '10.1.2.2/32' }, 'ipam.subnet: "10.1.2.2/32" is too small, its prefix length can be 30 at most'],
	[{ subnet: 'fd00::/127' }, 'ipam.subnet: "fd00::/127" is too small, its prefix length can be 126 at most'],
	[{ rangeStart: '10.1.2.9' }, 'ipam.rangeStart: it belongs to a range, set ipam.subnet, too'],
	[{ ranges: [[whole]], gateway: '10.1.2.1' }, 'ipam.gateway: it belongs to a range, set ipam.subnet, too'],
	[{ ...whole, rangeStart: 'x' }, 'ipam.rangeStart: "x" is no IPv4 address, write it as "10.1.2.9"'],
	[{ ...whole, rangeStart: 'fd00::9' }, 'ipam.rangeStart: "fd00::9" is no IPv4 address, write it as "10.1.2.9"'],
	[{ ...ipv6, gateway: '10.1.2.1' }, 'ipam.gateway: "10.1.2.1" is no IPv6 address, write it as "fd00:9::9"'],
	[{ ...whole, rangeStart: '10.1.3.9' }, 'ipam.rangeStart: "10.1.3.9" is not in the subnet "10.1.2.0/24"'],
	[
		{ ranges: [[whole], [{ ...other, rangeEnd: '10.1.2.9' }]] },
		'ipam.ranges[1][0].rangeEnd: "10.1.2.9" is not in the subnet "10.1.3.0/24"',
	],
	[
		{ ...whole, rangeStart: '10.1.2.9', rangeEnd: '10.1.2.8' },
		'ipam.rangeEnd: "10.1.2.8" is before "10.1.2.9", the first address; set rangeStart lower, or rangeEnd higher',
	],
	[
		{ ...whole, rangeEnd: '10.1.2.0' },
		'ipam.rangeEnd: "10.1.2.0" is before "10.1.2.1", the first address; set rangeStart lower, or rangeEnd higher',
	],
	[
		{ ...whole, rangeStart: '10.1.2.255' },
		'ipam.rangeStart: "10.1.2.255" is after "10.1.2.254", the last address; set it lower',
	],
	[
		{ ranges: [[whole, ipv6]] },
		'ipam.ranges[0][1].subnet: "fd00::/64" is of another family than "10.1.2.0/24", give it a set of its own',
	],
	[
		{ ranges: [[whole, { subnet: '10.1.0.0/16' }]] },
		'ipam.ranges[0][1].subnet: "10.1.0.0/16" overlaps ipam.ranges[0][0].subnet, "10.1.2.0/24"; part them by rangeStart and rangeEnd',
	],
	[
		{ ranges: [[other], [{ ...whole, rangeStart: '10.1.2.100' }]], ...whole, rangeEnd: '10.1.2.100' },
		'ipam.ranges[1][0].subnet: "10.1.2.0/24" overlaps ipam.subnet, "10.1.2.0/24"; part them by rangeStart and rangeEnd',
	],
	[
		{ ranges: [[{ ...whole, range_end: '10.1.2.9' }]] },
		'ipam.ranges[0][0].range_end: a range has no such key, only subnet, rangeStart, rangeEnd, gateway',
		2,
	],
];

for (const [ipam, message, code = 7] of mistakes) {
	test(`a mistake: ${message}`, (t) => {
		const error = t.throws(() => readConfiguredSets(...networkOf(ipam)), { instanceOf: CniError });
		t.is(error?.message, `reading ${message}`);
		t.is(error?.code, code);
	});
}

test('a mistake of the runtime is told by its key', (t) => {
	const act = (): unknown => read(whole, [[other], [{ ...whole, rangeStart: '10.1.3.1' }]]);
	t.throws(act, {
		message: 'reading runtimeConfig.ipRanges[1][0].rangeStart: "10.1.3.1" is not in the subnet "10.1.2.0/24"',
	});
	t.throws(() => read(whole, [[whole]]), {
		message: /^reading ipam\.subnet: .* overlaps runtimeConfig\.ipRanges\[0\]\[0\]\.subnet/,
	});
});
