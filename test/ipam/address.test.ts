import { isIPv4, isIPv6 } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { formatAddress, parseAddress } from '../../src/ipam/address.ts';

const parsed: Readonly<Record<string, readonly [family: 4 | 6, value: bigint]>> = {
	'0.0.0.0': [4, 0n],
	'9.0.1.5': [4, 0x09000105n],
	'255.255.255.255': [4, 0xffffffffn],
	'::': [6, 0n],
	'::1': [6, 1n],
	'1::': [6, 1n << 112n],
	'FD00::9:A': [6, (0xfd00n << 112n) | 0x9000an],
	'::ffff:9.0.1.5': [4, 0x09000105n],
	'::FFFF:0900:0105': [4, 0x09000105n],
	'0:0:0:0:0:ffff:9.0.1.5': [4, 0x09000105n],
	'::9.0.1.5': [6, 0x09000105n],
	'64:ff9b::9.0.1.5': [6, (0x64n << 112n) | (0xff9bn << 96n) | 0x09000105n],
};

for (const [text, [family, value]] of Object.entries(parsed)) {
	test(`"${text}" is an address`, (t) => {
		t.deepEqual(parseAddress(text), { family, value });
	});
}

const refused = [
	'',
	' ',
	'9',
	'9.1',
	'9.0.1',
	'9.0.1.',
	'9.0.1.256',
	'9.0.01.5',
	'0x9.0.1.5',
	'011.0.1.5',
	'9.0.1.5.6',
	'9.0.1.5 ',
	'-9.0.1.5',
	':',
	':::',
	'1::2::3',
	'1:2:3:4:5:6:7',
	'1:2:3:4:5:6:7:8:9',
	'12345::',
	'g::',
	'fe80::1%eth0',
	'::ffff:9.0.01.5',
	'::ffff:9.1',
	'[::1]',
	'9.0.1.5/26',
	'localhost',
];

for (const text of refused) {
	test(`"${text}" is no address`, (t) => {
		t.is(parseAddress(text), undefined);
	});
}

test('every IPv4 address has the text that Node takes for one, and is read back', (t) => {
	fc.assert(
		fc.property(fc.bigInt({ min: 0n, max: 0xffffffffn }), (value) => {
			const text = formatAddress({ family: 4, value });
			t.true(isIPv4(text));
			t.deepEqual(parseAddress(text), { family: 4, value });
		}),
	);
});

const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });

function valueOf(parts: readonly number[]): bigint {
	return parts.reduce((value, part) => (value << 16n) | BigInt(part), 0n);
}

test('every IPv6 address has the text that a URL has, and is read back', (t) => {
	fc.assert(
		fc.property(groups, (parts) => {
			const value = valueOf(parts);
			if (value >> 32n === 0xffffn) return;
			const text = formatAddress({ family: 6, value });
			// WHATWG URL §3.5 writes addresses as RFC 5952 does.
			t.is(`[${text}]`, new URL(`http://[${parts.map((part) => part.toString(16)).join(':')}]/`).hostname);
			t.deepEqual(parseAddress(text), { family: 6, value });
		}),
	);
});

test('of two runs of zeros that are equally long the first is cut, and never a single zero', (t) => {
	t.is(formatAddress({ family: 6, value: valueOf([0, 0, 1, 0, 0, 1, 1, 1]) }), '::1:0:0:1:1:1');
	t.is(formatAddress({ family: 6, value: valueOf([1, 0, 1, 1, 1, 1, 1, 1]) }), '1:0:1:1:1:1:1:1');
});

test('what is taken for an address, Node takes for one, too', (t) => {
	const characters = fc.constantFrom(...'0123456789abcf:.');
	fc.assert(
		fc.property(fc.string({ unit: characters, maxLength: 20 }), (text) => {
			const address = parseAddress(text);
			t.is(address !== undefined, text.includes(':') ? isIPv6(text) : isIPv4(text), text);
		}),
		{ numRuns: 2000 },
	);
});
