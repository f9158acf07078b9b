import test from 'ava';
import fc from 'fast-check';
import { hash32, hash64 } from '../../src/linux/hash.ts';

// Names of interfaces on running hosts, and names of lease files, follow from these.
const known = {
	'': [3954623016, '8hgdrl3jvoddu'],
	'c1 eth0': [2529389578, 'a0r6cb2q3vie5'],
	'b1a55e5d-3a1e-4c9b-9a3b-2c8d5ce0e1f7 eth0': [4116951796, 'knc7mq37ar80v'],
} as const;

for (const [text, [short, long]] of Object.entries(known)) {
	test(`the hashes of "${text}" are what they were`, (t) => {
		t.is(hash32(text), short);
		t.is(hash64(text), long);
	});
}

test('a hash is a 32-bit number, or 13 characters that any file system and device takes', (t) => {
	const property = fc.property(fc.string({ unit: 'binary' }), (text) => {
		t.true(Number.isInteger(hash32(text)) && hash32(text) >= 0 && hash32(text) < 2 ** 32);
		t.regex(hash64(text), /^[0-9a-v]{13}$/);
	});
	fc.assert(property);
});

const families = {
	'numbered ids': (at: number) => `container-${at} eth0`,
	'hexadecimal ids': (at: number) => `${at.toString(16).padStart(64, '0')} eth0`,
	'interfaces of one container': (at: number) => `c1 eth${at}`,
	'ids whose end is the same': (at: number) => `${at}-2c8d5ce0e1f7 eth0`,
};
for (const [title, textOf] of Object.entries(families)) {
	test(`100,000 ${title} have as few collisions as chance would give`, (t) => {
		const count = 100_000;
		const texts = Array.from({ length: count }, (_, at) => textOf(at));
		// What a device name has room for. By chance, one in a million runs of this would find a collision.
		t.is(new Set(texts.map((text) => hash64(text).slice(0, 11))).size, count);
		// By chance, 1.2 of 32 bits.
		t.true(new Set(texts.map(hash32)).size > count - 20);
	});
}

test('each character counts, and its place', (t) => {
	const texts = ['a b', 'b a', 'ab ', ' ab', 'a  b', 'ab', 'aab', '\0ab', 'ab\0', 'Ab', 'ạb'];
	t.is(new Set(texts.map(hash64)).size, texts.length);
	t.is(new Set(texts.map(hash32)).size, texts.length);
});
