import test from 'ava';
import { CniError } from '../../src/cni/errors.ts';
import { formatAddress } from '../../src/ipam/address.ts';
import { demandsOf } from '../../src/ipam/demands.ts';
import { rangeOf } from './stores.ts';

const ranges = [rangeOf('9.0.1.0/27'), rangeOf('fd00::/64')];

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
	test(`each range gets what lies in it: ${title}`, (t) => {
		const demands = demandsOf(ranges, requests(...requested));
		t.deepEqual(
			demands.map(({ range }) => range),
			ranges,
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
	[['9.0.1.40'], 7, `it is not in the half "9.0.1.0/27", ${instead}`],
	[['fd00::1'], 102, 'it is the gateway, ask for one from "fd00::2" to "fd00::ffff:ffff:ffff:ffff"'],
	[['9.0.1.5', '9.0.1.6'], 7, 'only one address of a family can be had'],
	[['9.0.1.5', '9.0.1.5'], 7, 'only one address of a family can be had'],
] as const) {
	test(`asking for ${requested.join(' and ')} is refused: ${why}`, (t) => {
		const error = t.throws(() => demandsOf(ranges, requests(...requested)), { instanceOf: CniError });
		t.is(error?.message, `leasing "${requested.at(-1)}", which args.cni.ips asks for: ${why}`);
		t.is(error?.code, code);
	});
}

test('asking for a family that the network does not have is refused', (t) => {
	const error = t.throws(() => demandsOf([rangeOf('9.0.1.0/27')], requests('fd00::5')), { instanceOf: CniError });
	t.is(error?.message, 'leasing "fd00::5", which args.cni.ips asks for: the network has no subnet of its family');
});
