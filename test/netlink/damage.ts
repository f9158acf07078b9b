// What decoders must do with what is cut off, garbled or random.
import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';

/** Decoding gives something or throws a NetlinkError, never anything else. Returns which. */
export function decodesOrRefuses(t: ExecutionContext, decode: (payload: Buffer) => unknown, payload: Buffer): boolean {
	try {
		decode(payload);
		return true;
	} catch (error) {
		if (error instanceof NetlinkError && error.code === 'EBADMSG') return false;
		t.fail(`${payload.toString('hex')}: ${error instanceof Error ? error.stack : String(error)}`);
		throw error;
	}
}

/**
 * A payload that is cut off within an attribute is refused. Between two attributes nothing tells that something is
 * missing; `optional` says that a decoder can do without the attributes.
 */
export function refusesCuts(
	t: ExecutionContext,
	decode: (payload: Buffer) => unknown,
	payload: Buffer,
	fixed: number,
	options: { readonly optional: boolean },
): void {
	t.true(decodesOrRefuses(t, decode, payload), 'whole');
	const between = boundaries(payload, fixed);
	for (let length = fixed; length < payload.length; length++) {
		const decoded = decodesOrRefuses(t, decode, payload.subarray(0, length));
		if (!between.has(length)) t.false(decoded, `cut to ${length} of ${payload.length} bytes`);
		else if (options.optional) t.true(decoded, `cut to ${length} of ${payload.length} bytes, between attributes`);
	}
	for (let length = 0; length < fixed; length++) decodesOrRefuses(t, decode, payload.subarray(0, length));
}

/** Random bytes, and real ones of which a few are changed, are refused at most. */
export function survivesGarbage(t: ExecutionContext, decode: (payload: Buffer) => unknown, payload: Buffer): void {
	const random = fc.uint8Array({ maxLength: 200 });
	const changes = fc.array(fc.tuple(fc.nat(payload.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
	fc.assert(fc.property(random, (bytes) => void decodesOrRefuses(t, decode, Buffer.from(bytes))));
	fc.assert(
		fc.property(changes, (changed) => {
			const garbled = Buffer.from(payload);
			for (const [at, byte] of changed) garbled[at] = byte;
			decodesOrRefuses(t, decode, garbled);
		}),
		{ numRuns: 300 },
	);
	t.pass();
}

/** Where one attribute has ended and no other has begun: at its end, and in the padding behind it. */
function boundaries(payload: Buffer, fixed: number): Set<number> {
	const found = new Set([fixed]);
	for (let offset = fixed; offset < payload.length;) {
		const end = offset + payload.readUInt16LE(offset);
		offset = (end + 3) & ~3;
		for (let at = end; at <= offset; at++) found.add(at);
	}
	return found;
}
