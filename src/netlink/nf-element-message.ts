// The messages about elements of nf_tables sets and maps. include/uapi/linux/netfilter/nf_tables.h

import { type Attribute, decodeAttributes, decodeBytes, decodeNested } from './attribute.ts';
import { NetlinkError } from './netlink-error.ts';
import { decodeComment, encodeComment } from './nf-comment.ts';
import type { Element } from './nf-element.ts';
import { decodeNftMessage, NFTA_LIST_ELEM, type Table } from './nf-message.ts';

/** And NFTA_SET_ELEM_LIST_SET behind it. */
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_FLAGS = 3;
const NFTA_SET_ELEM_USERDATA = 6;
const NFTA_SET_ELEM_KEY_END = 10;
const NFTA_DATA_VALUE = 1;
const NFT_SET_ELEM_INTERVAL_END = 1;

const encoder = new TextEncoder();

const NLA_F_NESTED = 0x8000;
const HEADER = 4;

/** The attributes of a message about elements, as bytes: one by one they would be dozens of calls in an ADD. */
export function elementAttributes(table: Table, set: string, list: readonly Buffer[] = []): Attribute[] {
	const names = [encoder.encode(`${table.name}\0`), encoder.encode(`${set}\0`)];
	let size = HEADER;
	for (const name of names) size += (HEADER + name.length + 3) & ~3;
	const head = Buffer.alloc(size);
	const view = new DataView(head.buffer, head.byteOffset);
	let offset = 0;
	let type = NFTA_SET_ELEM_LIST_TABLE;
	for (const name of names) {
		view.setUint16(offset, HEADER + name.length, true);
		view.setUint16(offset + 2, type++, true);
		head.set(name, offset + HEADER);
		offset += (HEADER + name.length + 3) & ~3;
	}
	if (list.length === 0) return [head.subarray(0, offset)];
	let length = HEADER;
	for (const element of list) length += element.length;
	view.setUint16(offset, length, true);
	view.setUint16(offset + 2, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED, true);
	return [head, ...list];
}

/** One member of a list of elements, written in one piece: an ADD has dozens of attributes in elements. */
export function encodeElement({ key, keyEnd, data, isEnd, comment }: Element): Buffer {
	const userData = comment === undefined ? undefined : encodeComment(comment);
	const values = [key, data, keyEnd];
	const types = [NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_DATA, NFTA_SET_ELEM_KEY_END];
	let size = HEADER + (isEnd === true ? 2 * HEADER : 0);
	for (const value of values) if (value !== undefined) size += (2 * HEADER + value.length + 3) & ~3;
	if (userData !== undefined) size += (HEADER + userData.length + 3) & ~3;

	const encoded = Buffer.alloc(size);
	const view = new DataView(encoded.buffer, encoded.byteOffset);
	view.setUint16(0, size, true);
	view.setUint16(2, NFTA_LIST_ELEM | NLA_F_NESTED, true);
	let offset = HEADER;
	for (let at = 0; at < values.length; at++) {
		const value = values[at];
		if (value === undefined) continue;
		const length = (HEADER + value.length + 3) & ~3;
		view.setUint16(offset, HEADER + length, true);
		view.setUint16(offset + 2, (types[at] ?? 0) | NLA_F_NESTED, true);
		view.setUint16(offset + 4, HEADER + value.length, true);
		view.setUint16(offset + 6, NFTA_DATA_VALUE, true);
		encoded.set(value, offset + 2 * HEADER);
		offset += HEADER + length;
	}
	if (isEnd === true) {
		view.setUint16(offset, 2 * HEADER, true);
		view.setUint16(offset + 2, NFTA_SET_ELEM_FLAGS, true);
		view.setUint32(offset + 4, NFT_SET_ELEM_INTERVAL_END);
		offset += 2 * HEADER;
	}
	if (userData !== undefined) {
		view.setUint16(offset, HEADER + userData.length, true);
		view.setUint16(offset + 2, NFTA_SET_ELEM_USERDATA, true);
		encoded.set(userData, offset + HEADER);
	}
	return encoded;
}

/**
 * The elements in a message, or those with a comment. What lies between two of the comment's places is passed over without
 * being decoded: a DEL looks for few among thousands. Throws NetlinkError `EBADMSG` when a length points outside.
 */
export function decodeElements(payload: Buffer, comment?: string): Element[] {
	const list = decodeBytes(decodeNftMessage(payload, 'set elements'), NFTA_SET_ELEM_LIST_ELEMENTS);
	const elements: Element[] = [];
	if (list === undefined) return elements;
	const wanted = comment === undefined ? undefined : encodeComment(comment);
	let next = wanted === undefined ? 0 : list.indexOf(wanted);
	for (let offset = 0; offset < list.length && next !== -1;) {
		const room = list.length - offset;
		const length = room < HEADER ? 0 : (list[offset] ?? 0) | ((list[offset + 1] ?? 0) << 8);
		if (length < HEADER || length > room) {
			throw new NetlinkError('decoding set elements', 'EBADMSG', `truncated at byte ${offset} of ${list.length}`);
		}
		const end = offset + length;
		if (next < end) {
			const element = decodeElement(list.subarray(offset + HEADER, end));
			if (element !== undefined && (comment === undefined || element.comment === comment)) elements.push(element);
			next = wanted === undefined ? end : list.indexOf(wanted, end);
		}
		offset = (end + 3) & ~3;
	}
	return elements;
}

function decodeElement(member: Buffer): Element | undefined {
	const attributes = decodeAttributes(member);
	const key = decodeBytes(decodeNested(attributes, NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
	// That of a set without other keys, NFT_SET_ELEM_CATCHALL; we make none.
	if (key === undefined) return undefined;
	const keyEnd = decodeBytes(decodeNested(attributes, NFTA_SET_ELEM_KEY_END), NFTA_DATA_VALUE);
	const data = decodeBytes(decodeNested(attributes, NFTA_SET_ELEM_DATA), NFTA_DATA_VALUE);
	const comment = decodeComment(decodeBytes(attributes, NFTA_SET_ELEM_USERDATA));
	const { 3: flags = 0 } = decodeBytes(attributes, NFTA_SET_ELEM_FLAGS) ?? [];
	return {
		key,
		...(keyEnd !== undefined && { keyEnd }),
		...(data !== undefined && { data }),
		...((flags & NFT_SET_ELEM_INTERVAL_END) !== 0 && { isEnd: true }),
		...(comment !== undefined && { comment }),
	};
}
