import test from 'ava';
import fc from 'fast-check';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { decodeComment, encodeComment, shortenComment } from '../../src/netlink/nf-comment.ts';

const LONGEST = 128;
const anyText = fc.string({ unit: 'grapheme', maxLength: 300 }).filter((text) => text !== '' && !text.includes('\0'));

test('a comment as nft writes it', (t) => {
	t.is(Buffer.from(encodeComment('c1 eth0')).toString('hex'), '00086331206574683000');
	t.is(Buffer.from(encodeComment('x', 7)).toString('hex'), '07027800');
});

test('a comment comes back, also from behind other things', (t) => {
	const property = fc.property(anyText.map(shortenComment), fc.uint8Array({ maxLength: 20 }), (comment, other) => {
		const before = Buffer.from([9, other.length, ...other]);
		t.is(decodeComment(Buffer.from(encodeComment(comment))), comment);
		t.is(decodeComment(Buffer.concat([before, encodeComment(comment, 7)]), 7), comment);
		t.is(decodeComment(Buffer.concat([before, encodeComment(comment, 7)])), undefined);
	});
	fc.assert(property, { numRuns: 300 });
});

test('user data without a comment of nft', (t) => {
	const without = ['', '00', '0001', '000000', '000178', '00037800', '0001780000', '0903780000'];
	for (const hex of without) t.is(decodeComment(Buffer.from(hex, 'hex')), undefined, hex);
	t.is(decodeComment(undefined), undefined);
	fc.assert(
		fc.property(fc.uint8Array(), (bytes) => {
			const comment = decodeComment(Buffer.from(bytes));
			t.true(comment === undefined || !comment.endsWith('\0'));
		}),
	);
});

test('a comment that nft could not show is refused', (t) => {
	t.notThrows(() => encodeComment('x'.repeat(LONGEST)));
	const error = t.throws(() => encodeComment('ü'.repeat(65)), { instanceOf: NetlinkError });
	t.is(error.message, `encoding a comment: "${'ü'.repeat(65)}" has more than 128 bytes (EINVAL)`);
});

test('a text that is shortened fits, and remains itself when it fits already', (t) => {
	const property = fc.property(anyText, (text) => {
		const length = Buffer.byteLength(text);
		const comment = shortenComment(text);
		t.is(Buffer.byteLength(comment), Math.min(length, LONGEST));
		t.is(comment === text, length < LONGEST);
		t.false(comment.includes('\ufffd') && !text.includes('\ufffd'), 'no half character');
	});
	fc.assert(property, { numRuns: 500 });
});

test('different texts are different comments, also those that look like a shortened one', (t) => {
	const long = 'c'.repeat(200);
	const texts = [
		long,
		`${long}c`,
		`${long} eth0`,
		`${long} eth1`,
		`x${long}`,
		long.slice(0, LONGEST),
		long.slice(0, 127),
	];
	texts.push(...texts.map(shortenComment));
	t.is(new Set(texts.map(shortenComment)).size, new Set(texts).size);
});
