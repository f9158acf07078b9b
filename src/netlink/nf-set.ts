// Sets and maps of nf_tables. include/uapi/linux/netfilter/nf_tables.h

import { be32, bytes, nested, text } from './attribute.ts';
import { NLM_F_CREATE, type Request } from './message.ts';
import { encodeComment } from './nf-comment.ts';
import { type FieldType, fieldLengths, isHostOrder, typeNumber } from './nf-field.ts';
import { NFTA_LIST_ELEM, nftRequest, type Table } from './nf-message.ts';

const NFT_MSG_NEWSET = 9;

const NFTA_SET_TABLE = 1;
const NFTA_SET_NAME = 2;
const NFTA_SET_FLAGS = 3;
const NFTA_SET_KEY_TYPE = 4;
const NFTA_SET_KEY_LEN = 5;
const NFTA_SET_DATA_TYPE = 6;
const NFTA_SET_DATA_LEN = 7;
const NFTA_SET_DESC = 9;
const NFTA_SET_ID = 10;
const NFTA_SET_USERDATA = 13;
const NFTA_SET_DESC_SIZE = 1;
const NFTA_SET_DESC_CONCAT = 2;
const NFTA_SET_FIELD_LEN = 1;

const NFT_SET_INTERVAL = 0x4;
const NFT_SET_MAP = 0x8;
const NFT_SET_CONCAT = 0x80;

// enum nftnl_udata_set_types, libnftnl/udata.h
const UDATA_KEY_BYTE_ORDER = 0;
const UDATA_DATA_BYTE_ORDER = 1;
const UDATA_DATA_INTERVAL = 6;
const UDATA_COMMENT = 7;

// enum byteorder, include/datatype.h of nftables
const BYTE_ORDER_UNSAID = 0;
const BYTE_ORDER_HOST = 1;
const BYTE_ORDER_NETWORK = 2;

/** A set, or with `data` a map: of keys that are one field or several side by side. */
export interface SetLayout {
	readonly name: string;
	readonly key: readonly FieldType[];
	readonly data?: readonly FieldType[];
	/** Whether elements are intervals. A key of several fields is one of intervals in each of them, on Linux 5.6 and later. */
	readonly intervals?: boolean;
	/**
	 * How many elements it can have at most; more are refused with `ENFILE`. The kernel makes a hash table for as many, some
	 * 11 bytes for each, which never grows; so that looks at it while it is filled see each element once.
	 */
	readonly size?: number;
	readonly comment?: string;
}

/** Creates a set, or leaves the one that is there. The kernel wants to know lengths; the rest is for the nft tool to show it. */
export function createSet(table: Table, set: SetLayout): Request {
	const { name, key, data, intervals = false, size, comment } = set;
	const concatenatedIntervals = intervals && key.length > 1;
	const keyLengths = fieldLengths(key);
	const description = [];
	if (size !== undefined) description.push(be32(NFTA_SET_DESC_SIZE, size));
	if (concatenatedIntervals) {
		const fields = keyLengths.map((length) => nested(NFTA_LIST_ELEM, be32(NFTA_SET_FIELD_LEN, length)));
		description.push(nested(NFTA_SET_DESC_CONCAT, ...fields));
	}
	const attributes = [
		text(NFTA_SET_TABLE, table.name),
		text(NFTA_SET_NAME, name),
		be32(
			NFTA_SET_FLAGS,
			(intervals ? NFT_SET_INTERVAL : 0) |
				(data === undefined ? 0 : NFT_SET_MAP) |
				(concatenatedIntervals ? NFT_SET_CONCAT : 0),
		),
		be32(NFTA_SET_KEY_TYPE, typeNumber(key)),
		be32(NFTA_SET_KEY_LEN, sum(keyLengths)),
		// Only for references within the transaction, but the kernel insists.
		be32(NFTA_SET_ID, 1),
		bytes(NFTA_SET_USERDATA, userData(key, data, comment)),
	];
	if (data !== undefined) {
		attributes.push(be32(NFTA_SET_DATA_TYPE, typeNumber(data)), be32(NFTA_SET_DATA_LEN, sum(fieldLengths(data))));
	}
	if (description.length > 0) attributes.push(nested(NFTA_SET_DESC, ...description));
	return nftRequest(table, `creating set "${name}"`, NFT_MSG_NEWSET, NLM_F_CREATE, attributes);
}

function sum(numbers: readonly number[]): number {
	return numbers.reduce((total, number) => total + number, 0);
}

/** What the nft tool notes down for itself with a set. */
function userData(key: readonly FieldType[], data: readonly FieldType[] | undefined, comment?: string): Uint8Array {
	const parts: Uint8Array[] = [userNumber(UDATA_KEY_BYTE_ORDER, byteOrder(key))];
	if (data !== undefined) {
		parts.push(userNumber(UDATA_DATA_BYTE_ORDER, byteOrder(data)), userNumber(UDATA_DATA_INTERVAL, 0));
	}
	if (comment !== undefined) parts.push(encodeComment(comment, UDATA_COMMENT));
	return Buffer.concat(parts);
}

function userNumber(type: number, value: number): Uint8Array {
	return Uint8Array.of(type, 4, value, 0, 0, 0);
}

function byteOrder([first, ...rest]: readonly FieldType[]): number {
	if (first === undefined || rest.length > 0) return BYTE_ORDER_UNSAID;
	return isHostOrder(first) ? BYTE_ORDER_HOST : BYTE_ORDER_NETWORK;
}
