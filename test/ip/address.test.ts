import ipaddr from 'ipaddr.js';
import test from 'ava';
import fc from 'fast-check';
import { formatIp, isLinkLocal, parseIp } from '../../src/ip/address.ts';

/**
 * What ipaddr.js says without its leniencies: octal and hexadecimal numbers, fewer than four parts, zones, and `::1.2.3.4`,
 * which it takes for an address that is mapped to IPv4.
 */
function oracle(text: string): number[] | undefined {
	if (!text.includes(':')) {
		return ipaddr.IPv4.isValidFourPartDecimal(text) ? ipaddr.IPv4.parse(text).toByteArray() : undefined;
	}
	const [, start = '', end = ''] = /^(.*:)(.*)$/.exec(text) ?? [];
	if (text.includes('%') || (end.includes('.') && !ipaddr.IPv4.isValidFourPartDecimal(end))) return undefined;
	const [a = 0, b = 0, c = 0, d = 0] = end.includes('.') ? ipaddr.IPv4.parse(end).toByteArray() : [];
	const groups = end.includes('.') ? `${start}${hex(a * 256 + b)}:${hex(c * 256 + d)}` : text;
	return ipaddr.IPv6.isValid(groups) ? ipaddr.IPv6.parse(groups).toByteArray() : undefined;
}

function hex(number: number): string {
	return number.toString(16);
}

function parsed(text: string): number[] | undefined {
	const ip = parseIp(text);
	return ip && [...ip];
}

const bytes = fc.oneof(
	fc.uint8Array({ minLength: 4, maxLength: 4 }),
	fc.uint8Array({ minLength: 16, maxLength: 16 }),
	// Rather many zeros, for the sake of "::".
	fc
		.array(fc.constantFrom([0, 0], [0, 0], [0, 1], [0x0f, 0xff], [0x10, 0]), { minLength: 8, maxLength: 8 })
		.map((groups) => Uint8Array.from(groups.flat())),
);

test('every address comes back from its text, which ipaddr.js would write, too', (t) => {
	const property = fc.property(bytes, (ip) => {
		const text = formatIp(ip);
		t.deepEqual(parsed(text), [...ip]);
		t.is(text, ipaddr.fromByteArray([...ip]).toString());
	});
	fc.assert(property, { numRuns: 1000 });
});

test('addresses in any writing are read as ipaddr.js reads them', (t) => {
	const property = fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.boolean(), (text, upper) => {
		const written = upper ? text.toUpperCase() : text;
		t.deepEqual(parsed(written), oracle(written), written);
		t.truthy(parsed(written), written);
	});
	fc.assert(property, { numRuns: 1000 });
});

test('texts that look like addresses are addresses exactly when ipaddr.js says so', (t) => {
	const part = fc.constantFrom(
		'',
		'0',
		'1',
		'00',
		'01',
		'9',
		'255',
		'256',
		'f',
		'ffff',
		'1ffff',
		'g',
		'1.2.3.4',
		'1.2.3',
		'0.0.0.0',
		'01.2.3.4',
		'-1',
		'1e1',
		' 1',
	);
	const dotted = fc.array(part, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
	const groups = fc.array(part, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(':'));
	const gapped = fc.tuple(groups, groups).map((halves) => halves.join('::'));
	const random = fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.'), maxLength: 20 });
	const property = fc.property(fc.oneof(dotted, groups, gapped, random), (text) => {
		t.deepEqual(parsed(text), oracle(text), text);
	});
	fc.assert(property, { numRuns: 5000 });
});

const written = {
	// RFC 5952 §4.1 to §4.3, §1
	'2001:0db8::0001': '2001:db8::1',
	'2001:DB8:0:0:0:0:2:1': '2001:db8::2:1',
	'2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
	'2001:db8::0:1': '2001:db8::1',
	'2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
	'2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
	'2001:db8:aaaa:bbbb:cccc:dddd:eeee:AAAA': '2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa',
	// RFC 4291 §2.2
	'0:0:0:0:0:0:0:0': '::',
	'FF01::101': 'ff01::101',
	'1:2:3:4:5:6:7::': '1:2:3:4:5:6:7:0',
	'::2:3:4:5:6:7:8': '0:2:3:4:5:6:7:8',
	'::13.1.68.3': '::d01:4403',
	'::FFFF:129.144.52.38': '::ffff:8190:3426',
	'1:2:3:4:5:6:7.8.9.10': '1:2:3:4:5:6:708:90a',
	'9.0.1.2': '9.0.1.2',
	'0.0.0.0': '0.0.0.0',
	'255.255.255.255': '255.255.255.255',
};
for (const [text, canonical] of Object.entries(written)) {
	test(`${text} is ${canonical}`, (t) => {
		const ip = parseIp(text);
		t.is(ip && formatIp(ip), canonical);
	});
}

const refused = [
	'',
	'9',
	'9.0.1',
	'9.0.1.2.3',
	'9.0.1.',
	'.9.0.1.2',
	'9..1.2',
	'9.0.1.256',
	'9.0.1.-1',
	'9.0.1.02',
	'9.0.1.0x2',
	'9.0.1.1e1',
	'9.0.1.2 ',
	'+9.0.1.2',
	'9.0.1.2/32',
	'٩.0.1.2',
	':',
	':::',
	'1',
	'1::2::3',
	':1::2',
	'1::2:',
	'1:2:3:4:5:6:7',
	'1:2:3:4:5:6:7:8:9',
	'1:2:3:4:5:6:7:8::',
	'1::2:3:4:5:6:7:8',
	'12345::',
	'g::',
	'fe80::1%eth0',
	'::1/128',
	'[::1]',
	'1.2.3.4::',
	'1:2.3.4.5::6',
	'::1.2.3.4:5',
	'::1.2.3',
	'::01.2.3.4',
	'1:2:3:4:5:6:7:1.2.3.4',
	'dcos',
];
for (const text of refused) {
	test(`"${text}" is no address`, (t) => t.is(parseIp(text), undefined));
}

test('the link-local addresses are those of ipaddr.js', (t) => {
	const starts = fc.constantFrom(
		[169, 254],
		[169, 253],
		[168, 254],
		[0xfe, 0x80],
		[0xfe, 0xbf],
		[0xfe, 0xc0],
		[0xfe, 0x7f],
	);
	const near = fc.tuple(bytes, starts).map(([ip, start]) => Uint8Array.from([...start, ...ip.subarray(2)]));
	const property = fc.property(fc.oneof(bytes, near), (ip) => {
		t.is(isLinkLocal(ip), ipaddr.fromByteArray([...ip]).range() === 'linkLocal');
	});
	fc.assert(property);
	t.true(
		[
			[169, 254, 0, 0],
			[0xfe, 0xbf, ...new Uint8Array(14)],
		].every((ip) => isLinkLocal(Uint8Array.from(ip))),
	);
});
