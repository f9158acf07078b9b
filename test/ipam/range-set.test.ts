import test from 'ava';
import { formatAddress, parseAddress } from '../../src/ipam/address.ts';
import { formatInRange } from '../../src/ipam/range.ts';
import { formatSet, inSet, rangeAround, type RangeSet, sizeOfSet } from '../../src/ipam/range-set.ts';
import { setsOf } from './stores.ts';

const within = (set: RangeSet, text: string): boolean => {
	const address = parseAddress(text);
	return address !== undefined && inSet(set, address);
};

for (const [title, ipam, name, size, inside, outside] of [
	[
		'a subnet',
		{ subnet: '10.1.2.0/24' },
		'10.1.2.0/24',
		253n,
		['10.1.2.2', '10.1.2.254'],
		['10.1.2.0', '10.1.2.1', '10.1.2.255', 'fd00::2'],
	],
	[
		'a part of one',
		{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.2' },
		'10.1.2.0/24',
		253n,
		['10.1.2.2'],
		['10.1.2.1'],
	],
	[
		'less of it',
		{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.3' },
		'10.1.2.3-10.1.2.254',
		252n,
		['10.1.2.3'],
		['10.1.2.2'],
	],
	[
		'less at its end',
		{ subnet: '10.1.2.0/24', rangeEnd: '10.1.2.253' },
		'10.1.2.1-10.1.2.253',
		252n,
		['10.1.2.253'],
		['10.1.2.254'],
	],
	[
		'a gateway in the middle',
		{ subnet: '10.1.2.0/24', gateway: '10.1.2.9' },
		'10.1.2.0/24',
		253n,
		['10.1.2.1', '10.1.2.8', '10.1.2.10'],
		['10.1.2.9'],
	],
	[
		'a gateway in another range',
		{
			ranges: [
				[
					{ subnet: '10.1.2.0/24', rangeEnd: '10.1.2.99', gateway: '10.1.2.200' },
					{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.100' },
				],
			],
		},
		'10.1.2.1-10.1.2.99, 10.1.2.100-10.1.2.254',
		252n,
		['10.1.2.2', '10.1.2.254'],
		['10.1.2.1', '10.1.2.200'],
	],
	[
		'reserved addresses',
		{
			subnet: '10.1.2.0/24',
			reserved: ['10.1.2.2', '10.1.2.8/29', '10.1.2.10-10.1.2.19', '10.2.0.0/16', 'fd00::/8'],
		},
		'10.1.2.0/24',
		240n,
		['10.1.2.3', '10.1.2.20'],
		['10.1.2.2', '10.1.2.8', '10.1.2.19'],
	],
	[
		'most of an IPv6 subnet reserved',
		{ subnet: 'fd00::/64', reserved: ['fd00::/65', 'fd00::8000:0:0:0/66'] },
		'fd00::/64',
		2n ** 62n,
		['fd00::ffff:ffff:ffff:ffff'],
		['fd00::2'],
	],
	[
		'a reserved part of a half',
		{ agentSubnet: '9.0.1.0/26', reserved: ['9.0.1.0/28'] },
		'9.0.1.0/27',
		15n,
		['9.0.1.16', '9.0.1.30'],
		['9.0.1.2', '9.0.1.31'],
	],
] as const) {
	test(`what a set gives: ${title}`, (t) => {
		const [set, ...others] = setsOf(ipam);
		if (set === undefined) return t.fail();
		t.deepEqual(others, []);
		t.is(formatSet(set), name);
		t.is(sizeOfSet(set), size);
		for (const text of inside) t.true(within(set, text), text);
		for (const text of outside) t.false(within(set, text), text);
	});
}

test('an address has the prefix length and the gateway of its range', (t) => {
	const [set] = setsOf({ ranges: [[{ subnet: '10.1.2.0/24' }, { subnet: '10.1.4.0/22', gateway: '10.1.7.254' }]] });
	const of = (text: string): unknown => {
		const address = parseAddress(text);
		const range = set && address && rangeAround(set, address);
		return range && [formatInRange(range, address), formatAddress(range.gateway)];
	};
	t.deepEqual(of('10.1.2.9'), ['10.1.2.9/24', '10.1.2.1']);
	t.deepEqual(of('10.1.5.9'), ['10.1.5.9/22', '10.1.7.254']);
	t.is(of('10.1.8.9'), undefined);
});
