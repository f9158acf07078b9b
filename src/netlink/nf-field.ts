// The types of which keys and data of nf_tables sets consist, and their values as bytes. src/datatype.h of nftables

import { requireIp } from './address-family.ts';
import { encodeMac } from './link-message.ts';
import { NetlinkError } from './netlink-error.ts';

/** By nft's names: its number of each, and the length in bytes. */
const TYPES = {
	ipv4_addr: { number: 7, length: 4 },
	ipv6_addr: { number: 8, length: 16 },
	ether_addr: { number: 9, length: 6 },
	inet_proto: { number: 12, length: 1 },
	inet_service: { number: 13, length: 2 },
	mark: { number: 19, length: 4 },
	ifname: { number: 41, length: 16 },
} as const;

const NUMBER_BITS = 6;

export type FieldType = keyof typeof TYPES;

/** An address or a MAC (also as its bytes), an interface name; for inet_proto, inet_service (a port) and mark a number. */
export type FieldValue = string | number | Uint8Array;

/** In a concatenation, each field is filled up to four bytes, as the registers are into which a packet's are loaded. */
const aligned = (length: number): number => (length + 3) & ~3;

/** What the nft tool calls a concatenation, or the one type; six bits of shift a field. */
export function typeNumber(types: readonly FieldType[]): number {
	return types.reduce((number, type) => (number << NUMBER_BITS) | TYPES[type].number, 0);
}

/** The length of each field in a concatenation; that of a single field is not filled up. */
export function fieldLengths(types: readonly FieldType[]): number[] {
	return types.map((type) => (types.length === 1 ? TYPES[type].length : aligned(TYPES[type].length)));
}

/** Whether a type's bytes are in the machine's order, or a text; of a concatenation nobody says. */
export function isHostOrder(type: FieldType): boolean {
	return type === 'mark' || type === 'ifname';
}

/** The bytes of a key or of data. Throws NetlinkError `EINVAL` for a value that is not of its type. */
export function encodeFields(types: readonly FieldType[], values: readonly FieldValue[]): Buffer {
	const fields: Buffer[] = [];
	for (const type of types) fields.push(encodeField(type, values[fields.length] ?? '', types.length > 1));
	return Buffer.concat(fields);
}

function encodeField(type: FieldType, value: FieldValue, isFilledUp: boolean): Buffer {
	const { length } = TYPES[type];
	const field = Buffer.alloc(isFilledUp ? aligned(length) : length);
	const bytes = typeof value === 'object' ? value : typeof value === 'string' ? textBytes(type, value) : undefined;
	if (bytes !== undefined) {
		// A name may be shorter, and ends with a zero, IFNAMSIZ of include/uapi/linux/if.h.
		const fits = type === 'ifname' ? bytes.length > 0 && bytes.length < length : bytes.length === length;
		if (!fits) throw refusal(type, value);
		field.set(bytes);
		return field;
	}
	const isNumber = type === 'mark' || type === 'inet_service' || type === 'inet_proto';
	if (typeof value !== 'number' || !isNumber || !Number.isInteger(value) || value < 0 || value >= 2 ** (8 * length)) {
		throw refusal(type, value);
	}
	const view = new DataView(field.buffer, field.byteOffset);
	if (length === 4) view.setUint32(0, value, true);
	else if (length === 2) view.setUint16(0, value);
	else field[0] = value;
	return field;
}

function textBytes(type: FieldType, value: string): Uint8Array | undefined {
	if (type === 'ipv4_addr' || type === 'ipv6_addr') return requireIp(value);
	if (type === 'ether_addr') return encodeMac(value);
	return type === 'ifname' ? Buffer.from(value) : undefined;
}

function refusal(type: FieldType, value: FieldValue): NetlinkError {
	const shown = typeof value === 'object' ? Buffer.from(value).toString('hex') : value;
	return new NetlinkError('encoding a key', 'EINVAL', `"${shown}" is no ${type}`);
}
