// Netlink attributes: type, length, value, padded to four bytes. RFC 3549 §2.3.1, include/uapi/linux/netlink.h
//
// Numbers go through DataView here and in all of this folder: Buffer's own methods for them are JavaScript, which Bun
// compiles anew in each process.

import { NetlinkError } from './netlink-error.ts';

const HEADER = 4;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

const encoder = new TextEncoder();

const align = (length: number): number => (length + 3) & ~3;

/** An encoded attribute, header and padding included, ready to stand behind others. */
export type Attribute = Buffer;

/**
 * The attributes of a decoded message. Of a type that occurs twice, the last counts. The kernel describes a link by a
 * hundred of them, of which few are wanted, so values are only cut out when they are asked for.
 */
export interface Attributes {
	readonly buffer: Buffer;
	/** By type: where the value begins, times 2^16, plus its length. */
	readonly places: readonly (number | undefined)[];
}

const LENGTH_BITS = 0x10000;

/** No attributes at all. */
export const noAttributes: Attributes = { buffer: Buffer.alloc(0), places: [] };

/** An attribute with the given bytes as its value. */
export function bytes(type: number, value: Uint8Array): Attribute {
	const attribute = Buffer.alloc(align(HEADER + value.length));
	const view = new DataView(attribute.buffer, attribute.byteOffset);
	view.setUint16(0, HEADER + value.length, true);
	view.setUint16(2, type, true);
	attribute.set(value, HEADER);
	return attribute;
}

/** An attribute without a value, whose presence says it all. */
export function flag(type: number): Attribute {
	return bytes(type, new Uint8Array(0));
}

/** An attribute with one byte. */
export function u8(type: number, value: number): Attribute {
	return bytes(type, Uint8Array.of(value));
}

/** An attribute with a 32-bit number in the machine's byte order (little-endian on all that we run on). */
export function u32(type: number, value: number): Attribute {
	return number32(type, value, true);
}

/** An attribute with a 32-bit number, signed or not, in network byte order, as nf_tables wants all of its numbers. */
export function be32(type: number, value: number): Attribute {
	return number32(type, value, false);
}

function number32(type: number, value: number, littleEndian: boolean): Attribute {
	const attribute = Buffer.alloc(HEADER + 4);
	const view = new DataView(attribute.buffer, attribute.byteOffset);
	view.setUint16(0, HEADER + 4, true);
	view.setUint16(2, type, true);
	view.setUint32(HEADER, value, littleEndian);
	return attribute;
}

/** An attribute with a text and its terminating zero. */
export function text(type: number, value: string): Attribute {
	return bytes(type, encoder.encode(`${value}\0`));
}

/** An attribute that holds attributes. */
export function nested(type: number, ...inner: readonly Attribute[]): Attribute {
	return bytes(type | NLA_F_NESTED, Buffer.concat(inner));
}

/** The attributes from `offset` to `end`. Throws NetlinkError `EBADMSG` when a length points outside. */
export function decodeAttributes(buffer: Buffer, offset = 0, end = buffer.length): Attributes {
	const places: number[] = [];
	while (offset < end) {
		const room = end - offset;
		// Byte by byte and without calls: this loop is most of what an ADD computes, and nothing of it should be compiled.
		const length = room < HEADER ? 0 : (buffer[offset] ?? 0) | ((buffer[offset + 1] ?? 0) << 8);
		if (length < HEADER || length > room) {
			throw new NetlinkError('decoding netlink attributes', 'EBADMSG', `truncated at byte ${offset} of ${end}`);
		}
		const type = ((buffer[offset + 2] ?? 0) | ((buffer[offset + 3] ?? 0) << 8)) & NLA_TYPE_MASK;
		places[type] = (offset + HEADER) * LENGTH_BITS + length - HEADER;
		offset += (length + 3) & ~3;
	}
	return { buffer, places };
}

/** The value of an attribute, not a copy; undefined when it is absent. */
export function decodeBytes({ buffer, places }: Attributes, type: number): Buffer | undefined {
	const place = places[type];
	if (place === undefined) return undefined;
	const start = Math.floor(place / LENGTH_BITS);
	return buffer.subarray(start, start + (place % LENGTH_BITS));
}

/** The attributes inside an attribute; none when it is absent. */
export function decodeNested({ buffer, places }: Attributes, type: number): Attributes {
	const place = places[type];
	if (place === undefined) return noAttributes;
	const start = Math.floor(place / LENGTH_BITS);
	return decodeAttributes(buffer, start, start + (place % LENGTH_BITS));
}

/** A number of one, two or four bytes in the machine's byte order, or undefined when it is absent or of another size. */
export function decodeNumber({ buffer, places }: Attributes, type: number): number | undefined {
	const place = places[type] ?? 0;
	const start = Math.floor(place / LENGTH_BITS);
	switch (place % LENGTH_BITS) {
		case 1:
			return buffer[start];
		case 2:
			return new DataView(buffer.buffer, buffer.byteOffset).getUint16(start, true);
		case 4:
			return new DataView(buffer.buffer, buffer.byteOffset).getUint32(start, true);
		default:
			return undefined;
	}
}

/** A text up to its terminating zero, or undefined when it is absent. */
export function decodeText({ buffer, places }: Attributes, type: number): string | undefined {
	const place = places[type];
	if (place === undefined) return undefined;
	const start = Math.floor(place / LENGTH_BITS);
	const end = start + (place % LENGTH_BITS);
	const zero = buffer.indexOf(0, start);
	return buffer.toString('utf8', start, zero === -1 || zero > end ? end : zero);
}

/** The values of a list, whose members are attributes of one type. Throws as {@link decodeAttributes}. */
export function decodeList(attributes: Attributes, type: number, memberType: number): Buffer[] {
	const list = decodeBytes(attributes, type);
	const members: Buffer[] = [];
	for (let offset = 0; list !== undefined && offset < list.length;) {
		const length = offset + HEADER > list.length ? 0 : list.readUInt16LE(offset);
		if (length < HEADER || offset + length > list.length) {
			throw new NetlinkError(
				'decoding a netlink list',
				'EBADMSG',
				`truncated at byte ${offset} of ${list.length}`,
			);
		}
		const member = list.subarray(offset + HEADER, offset + length);
		if ((list.readUInt16LE(offset + 2) & NLA_TYPE_MASK) === memberType) members.push(member);
		offset += align(length);
	}
	return members;
}
