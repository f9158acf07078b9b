import test from 'ava';
import fc from 'fast-check';
import { CniError } from '../../src/cni/errors.ts';
import {
	type Fields,
	fieldsOf,
	present,
	readBoolean,
	readFields,
	readFieldsList,
	readInteger,
	readList,
	readString,
	readStrings,
} from '../../src/cni/fields.ts';
import { refuses } from './assertions.ts';

const of = (json: string, lenient = false) => fieldsOf(JSON.parse(json), '', lenient);

test('keys are found in any case', (t) => {
	const anyCase = fc
		.string({ unit: fc.constantFrom(...'abcXYZ09._-'), minLength: 1 })
		.chain((key) =>
			fc.tuple(fc.constant(key), fc.array(fc.boolean(), { minLength: key.length, maxLength: key.length })),
		);
	t.notThrows(() =>
		fc.assert(
			fc.property(anyCase, fc.string({ minLength: 1 }), ([key, upper], value) => {
				const spelled = [...key]
					.map((letter, at) => (upper[at] ? letter.toUpperCase() : letter.toLowerCase()))
					.join('');
				return readString(fieldsOf({ [spelled]: value }, ''), key) === value;
			}),
		),
	);
});

test('the last of keys that differ in case wins, unless it is null', (t) => {
	t.is(readInteger(of('{"mtu":1,"MTU":2}'), 'mtu', 0, 9), 2);
	t.is(readInteger(of('{"mtu":1,"mtu":3}'), 'mtu', 0, 9), 3);
	t.is(readInteger(of('{"mtu":1,"MTU":null}'), 'mtu', 0, 9), 1);
});

const readers: Record<string, (fields: Fields) => unknown> = {
	'a string': (fields) => readString(fields, 'k'),
	'true or false': (fields) => readBoolean(fields, 'k'),
	'a whole number from 0 to 32': (fields) => readInteger(fields, 'k', 0, 32),
	'an object': (fields) => readFields(fields, 'k'),
	'a list': (fields) => readList(fields, 'k'),
	'a list of strings': (fields) => readStrings(fields, 'k'),
};

const good: Record<string, readonly (readonly [string, unknown])[]> = {
	'a string': [
		['"x"', 'x'],
		['""', undefined],
	],
	'true or false': [
		['true', true],
		['false', false],
	],
	'a whole number from 0 to 32': [
		['0', 0],
		['32', 32],
		['7.0', 7],
		['1e1', 10],
	],
	'an object': [],
	'a list': [
		['[]', []],
		['[null,1]', [null, 1]],
	],
	'a list of strings': [
		['[]', []],
		['["a","",null,"b"]', ['a', 'b']],
	],
};

const bad: Record<string, readonly (readonly [string, string])[]> = {
	'a string': [
		['1', '1'],
		['true', 'true'],
		['[]', 'a list'],
		['{}', 'an object'],
	],
	'true or false': [
		['"true"', '"true"'],
		['0', '0'],
		['""', '""'],
	],
	'a whole number from 0 to 32': [
		['-1', '-1'],
		['33', '33'],
		['1.5', '1.5'],
		['"1"', '"1"'],
		['1e400', 'Infinity'],
	],
	'an object': [
		['[]', 'a list'],
		['"{}"', '"{}"'],
		['false', 'false'],
	],
	'a list': [
		['{}', 'an object'],
		['"a"', '"a"'],
	],
	'a list of strings': [
		['["a",1]', 'a list'],
		['"a"', '"a"'],
	],
};

for (const [expected, read] of Object.entries(readers)) {
	test(`${expected}: what is read`, (t) => {
		for (const [json, value] of [...(good[expected] ?? []), ['null', undefined] as const]) {
			t.deepEqual(read(of(`{"K":${json}}`)), value, json);
		}
		t.is(read(of('{}')), undefined);
	});

	test(`${expected}: what is refused, or absent to a lenient reader`, (t) => {
		for (const [json, got] of bad[expected] ?? []) {
			const value = json === '["a",1]' ? of(`{"k":${json}}`) : fieldsOf({ k: JSON.parse(json) }, 'ipam.');
			const where = json === '["a",1]' ? 'k' : 'ipam.k';
			const named = expected === 'a list of strings' && json === '"a"' ? 'a list' : expected;
			refuses(t, () => read(value), 7, `reading ${where}: expected ${named}, got ${got}`);
			t.is(read(of(`{"k":${json}}`, true)), undefined, json);
		}
	});
}

test('the path of a nested object is in the message', (t) => {
	const entries = readFieldsList(fieldsOf({ list: [{ n: 1 }, { n: 'x' }] }, 'a.'), 'list');
	t.is(entries?.[0]?.path, 'a.list[0].');
	const read = () => entries?.map((entry) => readInteger(entry, 'n', 0, 9));
	refuses(t, read, 7, 'reading a.list[1].n: expected a whole number from 0 to 9, got "x"');
});

test('a list of objects holds nothing else, except to a lenient reader', (t) => {
	refuses(t, () => readFieldsList(of('{"list":[{},5]}'), 'list'), 7, 'reading list[1]: expected an object, got 5');
	t.is(readFieldsList(of('{"list":[{},5]}', true), 'list')?.length, 1);
});

test('a long value is cut in the message', (t) => {
	const error = t.throws(() => readBoolean(fieldsOf({ k: 'x'.repeat(10_000_000) }, ''), 'k'), {
		instanceOf: CniError,
	});
	t.is(error.message, `reading k: expected true or false, got "${'x'.repeat(80)}…"`);
});

test('present drops what is undefined, and nothing else', (t) => {
	t.deepEqual(present({ a: undefined, b: 0, c: '', d: false, e: null }), { b: 0, c: '', d: false, e: null });
});
