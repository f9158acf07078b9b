// From the bytes on stdin to a decoded JSON object.

import { CniError, CniErrorCode } from './errors.ts';
import { quoted, shortened } from './quoted.ts';

const LIMIT = 16 * 1024 * 1024;
const FIRST_BUFFER = 16 * 1024;

/**
 * Everything that `readInto` delivers until it delivers nothing; it fills the start of the buffer that it gets and
 * returns the number of bytes. Throws CniError 5 when it fails with another error than a CniError, 6 above 16 MB.
 */
export function readWhole(readInto: (buffer: Uint8Array) => number): Uint8Array {
	let buffer = new Uint8Array(FIRST_BUFFER);
	let length = 0;
	for (;;) {
		const count = readOnce(readInto, buffer.subarray(length));
		if (count === 0) return buffer.subarray(0, length);
		length += count;
		if (length > LIMIT) {
			throw new CniError(
				CniErrorCode.decodingFailure,
				'reading the network configuration from stdin: it is larger than 16 MB',
			);
		}
		if (length === buffer.length) {
			const larger = new Uint8Array(buffer.length * 4);
			larger.set(buffer);
			buffer = larger;
		}
	}
}

/** The network configuration in a JSON text; a byte order mark and white space around it do no harm. Throws CniError 6. */
export function decodeConfiguration(bytes: Uint8Array): Record<string, unknown> {
	// Leaves a byte order mark out.
	const text = new TextDecoder().decode(bytes).trim();
	if (text === '') throw new CniError(CniErrorCode.decodingFailure, 'no network configuration on stdin');
	const value = decodeJson(text);
	if (typeof value !== 'object' || value === null || Array.isArray(value)) {
		throw new CniError(
			CniErrorCode.decodingFailure,
			`decoding the network configuration on stdin: expected an object, got ${quoted(value)}`,
		);
	}
	return value as Record<string, unknown>;
}

function decodeJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (error) {
		throw new CniError(
			CniErrorCode.decodingFailure,
			`decoding the network configuration on stdin: not JSON, it begins with ${quoted(text)}`,
			{ details: error instanceof Error ? shortened(error.message) : '', cause: error },
		);
	}
}

function readOnce(readInto: (buffer: Uint8Array) => number, buffer: Uint8Array): number {
	try {
		return readInto(buffer);
	} catch (error) {
		if (error instanceof CniError) throw error;
		const why = error instanceof Error ? error.message : String(error);
		throw new CniError(CniErrorCode.ioFailure, `reading the network configuration from stdin: ${why}`, {
			cause: error,
		});
	}
}
