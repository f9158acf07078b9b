import net from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { addressFamily, cidrFamily, readAddress, readCidr } from '../../src/cni/address-text.ts';
import { fieldsOf } from '../../src/cni/fields.ts';
import { address } from './arbitraries.ts';
import { refuses } from './assertions.ts';

const expected = (text: string) => (net.isIPv4(text) ? 4 : net.isIPv6(text) ? 6 : undefined);

test('addresses are those that node:net knows, mapped and compressed ones included', (t) => {
	const almost = fc.string({
		unit: fc.constantFrom('0', '1', '25', '9', 'a', 'ffff', ':', ':', '::', '.', '.'),
		maxLength: 12,
	});
	t.notThrows(() => fc.assert(fc.property(address, (text) => addressFamily(text) === expected(text))));
	t.notThrows(() =>
		fc.assert(
			fc.property(almost, (text) => addressFamily(text) === expected(text)),
			{ numRuns: 2000 },
		),
	);
});

for (const text of [
	'::ffff:1.2.3.4',
	'1:2:3:4:5:6:7:8',
	'1:2:3:4:5:6:1.2.3.4',
	'::',
	'::1',
	'1::',
	'1:2:3:4:5:6:7::',
]) {
	test(`an IPv6 address: ${text}`, (t) => {
		t.is(addressFamily(text), 6);
	});
}

for (const text of [
	'',
	' ',
	'1.2.3',
	'1.2.3.4.5',
	'01.2.3.4',
	'1.2.3.256',
	'1.2.3.-4',
	'0x1.2.3.4',
	'1.2.3.4 ',
	'1.2.3.4\n',
	'1::2::3',
	':::',
	':1:2:3:4:5:6:7',
	'1:2:3:4:5:6:7:8:9',
	'1:2:3:4:5:6:7:8::',
	'1.2.3.4::',
	'::1.2.3.4:5',
	'::1%eth0',
	'12345::',
	'::g',
]) {
	test(`no address: ${JSON.stringify(text)}`, (t) => {
		t.is(addressFamily(text), undefined);
		t.is(cidrFamily(`${text}/8`), undefined);
	});
}

for (const [text, family] of [
	['9.0.1.2/26', 4],
	['0.0.0.0/0', 4],
	['1.2.3.4/32', 4],
	['1.2.3.4/33', undefined],
	['1.2.3.4/', undefined],
	['1.2.3.4/08', undefined],
	['1.2.3.4/-1', undefined],
	['1.2.3.4/8/8', undefined],
	['1.2.3.4', undefined],
	['::/0', 6],
	['fd00::1/128', 6],
	['fd00::1/129', undefined],
] as const) {
	test(`${text} is a CIDR of family ${family}`, (t) => {
		t.is(cidrFamily(text), family);
	});
}

test('an IPv4 address mapped to IPv6 is read as itself', (t) => {
	const fields = fieldsOf({ mapped: '::FFFF:9.0.1.1', other: '::ffff:1', far: '1::ffff:9.0.1.1' }, '');
	t.is(readAddress(fields, 'mapped'), '9.0.1.1');
	t.is(readAddress(fields, 'other'), '::ffff:1');
	t.is(readAddress(fields, 'far'), '1::ffff:9.0.1.1');
});

test('a key that holds no address is refused; an empty one is absent', (t) => {
	const fields = fieldsOf({ gateway: '9.0.1', dst: '9.0.1.0', empty: '' }, 'ipam.');
	refuses(t, () => readAddress(fields, 'gateway'), 7, 'reading ipam.gateway: expected an IP address, got "9.0.1"');
	refuses(t, () => readCidr(fields, 'dst'), 7, 'reading ipam.dst: expected an address with a prefix length');
	t.is(readAddress(fields, 'empty'), undefined);
	t.is(readCidr(fields, 'empty'), undefined);
});
