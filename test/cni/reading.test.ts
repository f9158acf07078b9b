import test from 'ava';
import fc from 'fast-check';
import { CniError } from '../../src/cni/errors.ts';
import { decodeConfiguration, readWhole } from '../../src/cni/reading.ts';
import { refuses } from './assertions.ts';

const decode = (text: string) => decodeConfiguration(Buffer.from(text));

/** Delivers the bytes in chunks of at most so many. */
function source(bytes: Uint8Array, chunk: number) {
	let at = 0;
	return (buffer: Uint8Array) => {
		const part = bytes.subarray(at, at + Math.min(chunk, buffer.length));
		buffer.set(part);
		at += part.length;
		return part.length;
	};
}

test('all that comes is read, in chunks of any size', (t) => {
	const large = fc.uint8Array({ maxLength: 60_000, size: 'max' });
	t.notThrows(() =>
		fc.assert(
			fc.property(large, fc.integer({ min: 1, max: 70_000 }), (bytes, chunk) =>
				Buffer.from(bytes).equals(readWhole(source(bytes, chunk))),
			),
			{ numRuns: 50 },
		),
	);
});

test('16 MB are read, one byte more is not, and nobody waits for the rest', (t) => {
	const limit = 16 * 1024 * 1024;
	t.is(readWhole(source(new Uint8Array(limit), 65_536)).length, limit);
	refuses(t, () => readWhole(source(new Uint8Array(limit + 1), 65_536)), 6, 'larger than 16 MB');
	refuses(t, () => readWhole((buffer) => buffer.length), 6, 'larger than 16 MB');
});

test('stdin that cannot be read', (t) => {
	const failing = () => {
		throw new Error('EIO: i/o error, read');
	};
	refuses(t, () => readWhole(failing), 5, 'reading the network configuration from stdin: EIO: i/o error, read');
	const late = () => {
		throw new CniError(11, 'late');
	};
	refuses(t, () => readWhole(late), 11, 'late');
});

for (const text of ['{"name":"ü"}', '\ufeff{"name":"ü"}', ' \r\n\t{"name":"ü"}\n\n ']) {
	test(`decoded: ${JSON.stringify(text)}`, (t) => {
		t.deepEqual(decode(text), { name: 'ü' });
	});
}

for (const text of ['', ' \n', '\ufeff']) {
	test(`nothing on stdin: ${JSON.stringify(text)}`, (t) => {
		refuses(t, () => decode(text), 6, 'no network configuration on stdin');
	});
}

for (const [text, got] of [
	['[]', 'a list'],
	['"x"', '"x"'],
	['5', '5'],
	['true', 'true'],
	['null', 'null'],
] as const) {
	test(`not an object: ${text}`, (t) => {
		refuses(
			t,
			() => decode(text),
			6,
			`decoding the network configuration on stdin: expected an object, got ${got}`,
		);
	});
}

for (const text of ['{', '{}}', '{"a":1,}', "{'a':1}", '{} {}', 'name: dcos', '\0', '[[[[']) {
	test(`not JSON: ${JSON.stringify(text)}`, (t) => {
		refuses(
			t,
			() => decode(text),
			6,
			`decoding the network configuration on stdin: not JSON, it begins with ${JSON.stringify(text)}`,
		);
	});
}

for (const [kind, bytes] of [
	['letters', Buffer.alloc(10_000_000, 'x')],
	['brackets', Buffer.alloc(10_000_000, '[')],
	['zeros', Buffer.alloc(10_000_000)],
	['no UTF-8', Buffer.alloc(10_000_000, 0xff)],
	['a string', Buffer.from(`"${'x'.repeat(10_000_000)}"`)],
] as const) {
	test(`10 MB of garbage make a short error: ${kind}`, (t) => {
		const error = t.throws(() => decodeConfiguration(bytes), { instanceOf: CniError });
		t.is(error.code, 6);
		t.true(JSON.stringify([error.message, error.details]).length < 1000);
	});
}

test('any bytes, and any beginning of a configuration, are decoded or refused', (t) => {
	const configuration = Buffer.from('{"cniVersion":"1.1.0","name":"dcos","ipam":{"routes":[{"dst":"0.0.0.0/0"}]}}');
	const cut = fc.nat(configuration.length - 1).map((length) => configuration.subarray(0, length));
	const isRefused = (bytes: Uint8Array) => {
		try {
			return typeof decodeConfiguration(bytes) === 'object';
		} catch (error) {
			return error instanceof CniError && error.code === 6;
		}
	};
	t.notThrows(() => fc.assert(fc.property(fc.oneof(fc.uint8Array(), cut), isRefused), { numRuns: 500 }));
});
