import test from 'ava';
import { CniError } from '../../src/cni/errors.ts';
import { formatAddress } from '../../src/ipam/address.ts';
import { demandsOf } from '../../src/ipam/demands.ts';
import { setOf, setsOf } from './stores.ts';

const sets = [setOf('9.0.1.0/27'), setOf('fd00::/64')];

function requests(...addresses: readonly string[]) {
	return addresses.map((address) => ({
		address,
		family: address.includes(':') ? (6 as const) : (4 as const),
		source: 'args.cni.ips',
	}));
}

for (const [title, requested, given] of [
	['nothing asked for', [], [undefined, undefined]],
	['one of IPv4', ['9.0.1.5'], ['9.0.1.5', undefined]],
	['one of IPv6, written at length', ['FD00:0::5'], [undefined, 'fd00::5']],
	['both, in the other order', ['fd00::5', '9.0.1.30'], ['9.0.1.30', 'fd00::5']],
	['IPv4-mapped', ['::ffff:9.0.1.2'], ['9.0.1.2', undefined]],
] as const) {
	test(`each range set gets what lies in it: ${title}`, (t) => {
		const demands = demandsOf(sets, requests(...requested));
		t.deepEqual(
			demands.map(({ set }) => set),
			sets,
		);
		t.deepEqual(
			demands.map(({ requested: address }) => address && formatAddress(address)),
			[...given],
		);
	});
}

const instead = 'ask for one from "9.0.1.2" to "9.0.1.30"';

for (const [requested, code, why] of [
	[['9.0.1.1'], 102, `it is the gateway, ${instead}`],
	[['9.0.1.0'], 7, `it is the network address, ${instead}`],
	[['9.0.1.31'], 7, `it is the broadcast address, ${instead}`],
	[['9.0.1.40'], 7, `it is not in "9.0.1.0/27", ${instead}`],
	[['fd00::1'], 102, 'it is the gateway, ask for one from "fd00::2" to "fd00::ffff:ffff:ffff:ffff"'],
	[['9.0.1.5', '9.0.1.6'], 7, 'only one address of "9.0.1.0/27" can be had'],
	[['9.0.1.5', '9.0.1.5'], 7, 'only one address of "9.0.1.0/27" can be had'],
] as const) {
	test(`asking for ${requested.join(' and ')} is refused: ${why}`, (t) => {
		const error = t.throws(() => demandsOf(sets, requests(...requested)), { instanceOf: CniError });
		t.is(error?.message, `leasing "${requested.at(-1)}", which args.cni.ips asks for: ${why}`);
		t.is(error?.code, code);
	});
}

test('asking for a family that the network does not have is refused', (t) => {
	const error = t.throws(() => demandsOf([setOf('9.0.1.0/27')], requests('fd00::5')), { instanceOf: CniError });
	t.is(error?.message, 'leasing "fd00::5", which args.cni.ips asks for: the network has no subnet of its family');
});

const ranged = setsOf({
	ranges: [
		[
			{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.10', rangeEnd: '10.1.2.20', gateway: '10.1.2.15' },
			{ subnet: '10.1.3.0/29', gateway: '10.1.3.6' },
		],
		[{ subnet: '10.1.4.0/24' }],
		[{ subnet: 'fd00::/64' }],
	],
	reserved: ['10.1.2.18', '10.1.4.64/26', 'fd00::/96'],
});

test('of several sets, each gets the first of the addresses that it has', (t) => {
	const demands = demandsOf(ranged, requests('fd00::1:0:0', '10.1.4.9', '10.1.3.5'));
	t.deepEqual(
		demands.map(({ requested }) => requested && formatAddress(requested)),
		['10.1.3.5', '10.1.4.9', 'fd00::1:0:0'],
	);
});

const ranges4 =
	'ask for one from "10.1.2.10" to "10.1.2.20", or from "10.1.3.1" to "10.1.3.6", or from "10.1.4.1" to "10.1.4.254"';
const names4 = '"10.1.2.10-10.1.2.20", "10.1.3.0/29", "10.1.4.0/24"';

for (const [requested, code, why] of [
	[['10.1.2.15'], 102, `it is the gateway, ${ranges4}`],
	[['10.1.3.6'], 102, `it is the gateway, ${ranges4}`],
	[['10.1.4.1'], 102, `it is the gateway, ${ranges4}`],
	[['10.1.2.18'], 102, `it is reserved, ${ranges4}`],
	[['10.1.4.127'], 102, `it is reserved, ${ranges4}`],
	[['10.1.2.9'], 7, `it is not in ${names4}, ${ranges4}`],
	[['10.1.2.21'], 7, `it is not in ${names4}, ${ranges4}`],
	[['10.1.3.0'], 7, `it is the network address, ${ranges4}`],
	[['10.1.3.7'], 7, `it is the broadcast address, ${ranges4}`],
	[
		['fd02::ffff:ffff:ffff:ffff'],
		7,
		'it is not in "fd00::/64", ask for one from "fd00::1" to "fd00::ffff:ffff:ffff:ffff"',
	],
	[['10.1.2.10', '10.1.3.5'], 7, 'only one address of "10.1.2.10-10.1.2.20, 10.1.3.0/29" can be had'],
	[['fd00::5'], 102, 'it is reserved, ask for one from "fd00::1" to "fd00::ffff:ffff:ffff:ffff"'],
] as const) {
	test(`of several sets, ${requested.join(' and ')} is refused: ${why}`, (t) => {
		const error = t.throws(() => demandsOf(ranged, requests(...requested)), { instanceOf: CniError });
		t.is(error?.message, `leasing "${requested.at(-1)}", which args.cni.ips asks for: ${why}`);
		t.is(error?.code, code);
	});
}
