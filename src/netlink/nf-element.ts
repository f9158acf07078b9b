// Elements of nf_tables sets and maps. include/uapi/linux/netfilter/nf_tables.h

import type { Connection } from './connection.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';
import { isKernelError, NetlinkError } from './netlink-error.ts';
import { decodeElements, elementAttributes, encodeElement } from './nf-element-message.ts';
import { nftRequest, type Table } from './nf-message.ts';

const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_GETSETELEM = 13;
const NFT_MSG_DELSETELEM = 14;

/** A list is one attribute, whose length has 16 bits. */
const LONGEST_LIST = 0xffff - 4;

/**
 * While a set that has grown gets a larger hash table, the kernel lists some elements twice in place of others
 * (nft_rhash_walk of net/netfilter/nft_set_hash.c). One that was made with a size has a table that never grows.
 */
const LIST_ATTEMPTS = 8;

/** An element, with keys and data as {@link encodeFields} gives them. */
export interface Element {
	readonly key: Uint8Array;
	/** The last key of an interval, in a set whose key has several fields. */
	readonly keyEnd?: Uint8Array;
	/** In a set of simple intervals, this is the first key that is not in the interval any more. */
	readonly isEnd?: boolean;
	/** What a map has for the key. */
	readonly data?: Uint8Array;
	/** At most 128 bytes. */
	readonly comment?: string;
}

/**
 * An interval of a set whose key is one field: the element that begins it, and the one that ends it, unless it lasts until
 * the last key that there is. Both are added, and both are removed.
 */
export function simpleInterval(first: Uint8Array, last: Uint8Array, comment?: string): Element[] {
	const begin: Element = { key: first, ...(comment !== undefined && { comment }) };
	const behind = Buffer.from(last);
	for (let at = behind.length - 1; at >= 0; at--) {
		const byte = ((behind[at] ?? 0) + 1) & 0xff;
		behind[at] = byte;
		if (byte !== 0) return [begin, { key: behind, isEnd: true }];
	}
	return [begin];
}

/**
 * Adds elements to a set, by as many requests as it takes. With `exclusive`, `EEXIST` when one is there; without, one that
 * is there stays as it is, comment included, and is refused with `EEXIST` when its data are others. `ENOENT` without the set.
 */
export function addElements(
	table: Table,
	set: string,
	elements: readonly Element[],
	options: { readonly exclusive?: boolean } = {},
): Request[] {
	const flags = NLM_F_CREATE | (options.exclusive === true ? NLM_F_EXCL : 0);
	return elementRequests(table, set, `adding to set "${set}"`, NFT_MSG_NEWSETELEM, flags, elements);
}

/** Removes elements by their keys, by as many requests as it takes. `ENOENT` when one is not there. */
export function removeElements(table: Table, set: string, elements: readonly Element[]): Request[] {
	return elementRequests(table, set, `removing from set "${set}"`, NFT_MSG_DELSETELEM, 0, elements);
}

/** Removes all elements of a set. */
export function flushSet(table: Table, set: string): Request {
	return nftRequest(table, `emptying set "${set}"`, NFT_MSG_DELSETELEM, 0, elementAttributes(table, set));
}

/** The element of a key, undefined when it is not there, nor when the set or the table is not. */
export function findElement(
	connection: Connection,
	table: Table,
	set: string,
	element: Pick<Element, 'key' | 'keyEnd'>,
): Element | undefined {
	const attributes = elementAttributes(table, set, [encodeElement(element)]);
	const request = nftRequest(table, `looking into set "${set}"`, NFT_MSG_GETSETELEM, 0, attributes);
	try {
		// A copy, since the place of an answer is that of the next one, too.
		return decodeElements(Buffer.concat([connection.get(request)]))[0];
	} catch (error) {
		if (isKernelError(error, 'ENOENT')) return undefined;
		throw error;
	}
}

/**
 * The elements of a set, or those that have a comment: to find few among many costs little more than the kernel's list.
 * `ENOENT` without the set, `EAGAIN` when it grows all the time.
 */
export function listElements(connection: Connection, table: Table, set: string, comment?: string): Element[] {
	const request = nftRequest(table, `listing set "${set}"`, NFT_MSG_GETSETELEM, 0, elementAttributes(table, set));
	for (let attempt = 0; attempt < LIST_ATTEMPTS; attempt++) {
		const elements: Element[] = [];
		const keys = new Set<string>();
		for (const payload of connection.dump(request)) {
			for (const element of decodeElements(payload, comment)) {
				elements.push(element);
				keys.add(`${Buffer.from(element.key).toString('latin1')} ${element.isEnd}`);
			}
		}
		if (keys.size === elements.length) return elements;
	}
	throw new NetlinkError(request.operation, 'EAGAIN', `the set grew during each of ${LIST_ATTEMPTS} looks`);
}

function elementRequests(
	table: Table,
	set: string,
	operation: string,
	message: number,
	flags: number,
	elements: readonly Element[],
): Request[] {
	const requests: Request[] = [];
	let list: Buffer[] = [];
	let length = 0;
	const end = () => requests.push(nftRequest(table, operation, message, flags, elementAttributes(table, set, list)));
	for (const element of elements) {
		const encoded = encodeElement(element);
		if (length + encoded.length > LONGEST_LIST) {
			end();
			[list, length] = [[], 0];
		}
		list.push(encoded);
		length += encoded.length;
	}
	if (list.length > 0) end();
	return requests;
}
