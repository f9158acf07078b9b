import test from 'ava';
import fc from 'fast-check';
import {
	be32,
	bytes,
	decodeAttributes,
	decodeBytes,
	decodeList,
	decodeNested,
	decodeNumber,
	decodeText,
	flag,
	nested,
	noAttributes,
	text,
	u32,
	u8,
} from '../../src/netlink/attribute.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { decodesOrRefuses, refusesCuts, survivesGarbage } from './damage.ts';

const type = fc.integer({ min: 1, max: 0x3fff });
const value = fc.uint8Array({ maxLength: 40 });
/** Attributes of different types. */
const attributes = fc.uniqueArray(fc.tuple(type, value), { selector: ([each]) => each, maxLength: 8 });

const table = {
	'a flag': [flag(5), '04000500'],
	'one byte, padded to four': [u8(33, 1), '0500210001000000'],
	'a 32-bit number in the order of the machine': [u32(4, 1420), '080004008c050000'],
	'the largest 32-bit number': [u32(4, 0xffffffff), '08000400ffffffff'],
	'a 32-bit number in network order': [be32(5, 0x010203), '0800050000010203'],
	'a negative number in network order': [be32(2, -300), '08000200fffffed4'],
	'the largest unsigned number in network order': [be32(2, 0xffffffff), '08000200ffffffff'],
	'a text with its zero': [text(3, 'eth0'), '090003006574683000000000'],
	'a text of more bytes than characters': [text(20, 'ü'), '07001400c3bc0000'],
	'an empty text': [text(3, ''), '0500030000000000'],
	'bytes that need no padding': [bytes(1, Uint8Array.of(9, 0, 1, 2)), '0800010009000102'],
	'attributes in an attribute': [
		nested(18, text(1, 'veth'), u8(2, 7)),
		'180012800900010076657468000000000500020007000000',
	],
	'nothing in an attribute': [nested(18), '04001280'],
} as const;

for (const [title, [attribute, hex]] of Object.entries(table)) {
	test(`${title} is encoded as the kernel wants it`, (t) => t.is(attribute.toString('hex'), hex));
}

test('attributes come back, in any number', (t) => {
	t.notThrows(() =>
		fc.assert(
			fc.property(attributes, (list) => {
				const decoded = decodeAttributes(Buffer.concat(list.map(([each, content]) => bytes(each, content))));
				return list.every(([each, content]) => decodeBytes(decoded, each)?.equals(content) === true);
			}),
		),
	);
});

test('attributes within attributes come back, at any depth, from the middle of a buffer', (t) => {
	const property = fc.property(attributes, fc.array(type, { maxLength: 4 }), value, (list, path, before) => {
		let encoded: Buffer = Buffer.concat(list.map(([each, content]) => bytes(each, content)));
		for (const outer of path) encoded = nested(outer, encoded);
		let decoded = decodeAttributes(
			Buffer.concat([before, encoded, before]),
			before.length,
			before.length + encoded.length,
		);
		for (const outer of path.toReversed()) decoded = decodeNested(decoded, outer);
		return list.every(([each, content]) => decodeBytes(decoded, each)?.equals(content) === true);
	});
	t.notThrows(() => fc.assert(property));
});

test('numbers and texts come back', (t) => {
	const property = fc.property(
		fc.nat(0xffffffff),
		fc.nat(255),
		fc.string({ unit: 'grapheme' }),
		(long, short, name) => {
			const decoded = decodeAttributes(Buffer.concat([u32(1, long), u8(2, short), text(3, name), flag(4)]));
			t.is(decodeNumber(decoded, 1), long);
			t.is(decodeNumber(decoded, 2), short);
			// A text ends with its first zero.
			t.is(decodeText(decoded, 3), name.split('\0')[0]);
			t.is(decodeText(decoded, 4), '');
		},
	);
	fc.assert(property);
});

test('a list comes back in its order, without members of other types', (t) => {
	const property = fc.property(fc.array(value), fc.array(value), (members, others) => {
		const list = nested(9, ...members.map((member) => bytes(1, member)), ...others.map((other) => bytes(2, other)));
		const decoded = decodeAttributes(Buffer.concat([text(1, 'x'), list]));
		t.deepEqual(
			decodeList(decoded, 9, 1),
			members.map((member) => Buffer.from(member)),
		);
		t.deepEqual(
			decodeList(decoded, 9, 2),
			others.map((other) => Buffer.from(other)),
		);
	});
	fc.assert(property, { numRuns: 50 });
});

test('what is absent is undefined, or has nothing in it', (t) => {
	t.is(decodeBytes(noAttributes, 1), undefined);
	t.is(decodeNumber(noAttributes, 1), undefined);
	t.is(decodeText(noAttributes, 1), undefined);
	t.is(decodeBytes(decodeNested(noAttributes, 1), 1), undefined);
	t.deepEqual(decodeList(noAttributes, 1, 1), []);
});

test('of two attributes of a type, the last counts', (t) => {
	t.is(decodeNumber(decodeAttributes(Buffer.concat([u32(4, 1), u32(4, 2)])), 4), 2);
});

test('the flags in an attribute type, NLA_F_NESTED and NLA_F_NET_BYTEORDER, are not part of it', (t) => {
	t.is(decodeNumber(decodeAttributes(u32(0xc000 | 4, 7)), 4), 7);
});

test('a two-byte number, and sizes that are no numbers', (t) => {
	const decoded = decodeAttributes(
		Buffer.concat([1, 2, 3, 4, 8].map((size) => bytes(size, new Uint8Array(size).fill(1)))),
	);
	t.deepEqual(
		[1, 2, 3, 4, 8].map((size) => decodeNumber(decoded, size)),
		[0x01, 0x0101, undefined, 0x01010101, undefined],
	);
});

test('a text without a zero ends with its attribute', (t) => {
	const decoded = decodeAttributes(Buffer.concat([bytes(1, Buffer.from('bridge')), text(2, 'next')]));
	t.is(decodeText(decoded, 1), 'bridge');
});

test('the last attribute may lack its padding', (t) => {
	t.is(decodeText(decodeAttributes(text(3, 'eth0').subarray(0, 9)), 3), 'eth0');
});

test('a value that ends with the largest length that there is', (t) => {
	const content = new Uint8Array(0xffff - 4).fill(7);
	t.true(decodeBytes(decodeAttributes(bytes(1, content)), 1)?.equals(content));
});

const lengths = {
	'no room for a header': '080001',
	'a length of zero': '00000100',
	'a length below the header': '03000100',
	'a length beyond the end': '0900010000000000',
};
for (const [title, hex] of Object.entries(lengths)) {
	test(`${title} is an error that says where`, (t) => {
		const buffer = Buffer.concat([flag(7), Buffer.from(hex, 'hex')]);
		const error = t.throws(() => decodeAttributes(buffer), { instanceOf: NetlinkError });
		t.is(error.code, 'EBADMSG');
		t.is(error.message, `decoding netlink attributes: truncated at byte 4 of ${buffer.length} (EBADMSG)`);
		t.throws(() => decodeList(decodeAttributes(nested(9, Buffer.from(hex, 'hex'))), 9, 1), {
			instanceOf: NetlinkError,
			message: /^decoding a netlink list: truncated at byte 0 of \d+ \(EBADMSG\)$/,
		});
	});
}

test('attributes that are cut off are refused', (t) => {
	const list = Buffer.concat([
		u32(1, 1),
		text(2, 'some text'),
		nested(3, text(4, 'x'), flag(5)),
		bytes(6, new Uint8Array(9)),
	]);
	refusesCuts(t, decodeAttributes, list, 0, { optional: true });
});

test('random bytes are decoded or refused, whatever is asked of them', (t) => {
	const all = (payload: Buffer) => {
		const decoded = decodeAttributes(payload);
		for (let each = 0; each < 8; each++) {
			decodeBytes(decoded, each);
			decodeText(decoded, each);
			decodeNumber(decoded, each);
			decodesOrRefuses(t, () => decodeNested(decoded, each), payload);
			decodesOrRefuses(t, () => decodeList(decoded, each, 1), payload);
		}
	};
	survivesGarbage(t, all, Buffer.concat([u32(1, 1), nested(2, text(1, 'a'), nested(2, u8(1, 1))), text(3, 'abc')]));
});
