// nf_tables: transactions on tables, chains, rules and sets. include/uapi/linux/netfilter/nf_tables.h, nfnetlink.h

import {
	type Attribute,
	be32,
	bytes,
	decodeAttributes,
	decodeBytes,
	decodeList,
	decodeNested,
	nested,
	text,
} from './attribute.ts';
import type { Connection } from './connection.ts';
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';
import { NetlinkError } from './netlink-error.ts';

const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFNL_SUBSYS_NFTABLES = 10;

const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NFT_MSG_NEWSET = 9;
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_GETSETELEM = 13;
const NFT_MSG_DELSETELEM = 14;

const NFTA_TABLE_NAME = 1;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_CHAIN_TYPE = 7;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_SET_TABLE = 1;
const NFTA_SET_NAME = 2;
const NFTA_SET_FLAGS = 3;
const NFTA_SET_KEY_TYPE = 4;
const NFTA_SET_KEY_LEN = 5;
const NFTA_SET_ID = 10;
const NFTA_SET_USERDATA = 13;
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_DATA_VALUE = 1;

const NF_ACCEPT = 1;

/** The family of a table, include/uapi/linux/netfilter.h. */
export const NFPROTO_BRIDGE = 7;

/** A table, which every part of it names. */
export interface Table {
	readonly family: number;
	readonly name: string;
}

function nftRequest(table: Table, operation: string, message: number, flags: number, attributes: Attribute[]): Request {
	return {
		operation,
		type: (NFNL_SUBSYS_NFTABLES << 8) | message,
		flags,
		fixed: Buffer.of(table.family, 0, 0, 0),
		attributes,
	};
}

function batchMessage(type: number): Request {
	const fixed = Buffer.of(0, 0, 0, NFNL_SUBSYS_NFTABLES);
	return { operation: 'changing nf_tables', type, flags: 0, fixed, attributes: [], unacknowledged: true };
}

/** Carries out all requests, or none. Throws the NetlinkError of the first that failed. */
export function commit(connection: Connection, ...requests: readonly Request[]): void {
	connection.execute(batchMessage(NFNL_MSG_BATCH_BEGIN), ...requests, batchMessage(NFNL_MSG_BATCH_END));
}

/** Creates a table; `EEXIST` when there is one, so that of two who lay out the same table one succeeds. */
export function createTable(table: Table): Request {
	const attributes = [text(NFTA_TABLE_NAME, table.name)];
	return nftRequest(table, `creating table "${table.name}"`, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_EXCL, attributes);
}

/** Creates a filter chain at a hook, which accepts what its rules let pass. */
export function createChain(table: Table, name: string, hook: number, priority: number): Request {
	return nftRequest(table, `creating chain "${name}"`, NFT_MSG_NEWCHAIN, NLM_F_CREATE, [
		text(NFTA_CHAIN_TABLE, table.name),
		text(NFTA_CHAIN_NAME, name),
		nested(NFTA_CHAIN_HOOK, be32(NFTA_HOOK_HOOKNUM, hook), be32(NFTA_HOOK_PRIORITY, priority)),
		be32(NFTA_CHAIN_POLICY, NF_ACCEPT),
		text(NFTA_CHAIN_TYPE, 'filter'),
	]);
}

/** Creates a set. The kernel only wants to know the length of its keys in bytes; the rest is for the nft tool to show them. */
export function createSet(
	table: Table,
	name: string,
	key: { readonly type: number; readonly length: number; readonly userData?: Uint8Array },
): Request {
	return nftRequest(table, `creating set "${name}"`, NFT_MSG_NEWSET, NLM_F_CREATE, [
		text(NFTA_SET_TABLE, table.name),
		text(NFTA_SET_NAME, name),
		be32(NFTA_SET_FLAGS, 0),
		be32(NFTA_SET_KEY_TYPE, key.type),
		be32(NFTA_SET_KEY_LEN, key.length),
		// Only for references within the transaction, but the kernel insists.
		be32(NFTA_SET_ID, 1),
		...(key.userData === undefined ? [] : [bytes(NFTA_SET_USERDATA, key.userData)]),
	]);
}

/** Adds a rule at the end of a chain. */
export function appendRule(table: Table, chain: string, expressions: readonly Attribute[]): Request {
	return nftRequest(table, `adding a rule to chain "${chain}"`, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, [
		text(NFTA_RULE_TABLE, table.name),
		text(NFTA_RULE_CHAIN, chain),
		nested(NFTA_RULE_EXPRESSIONS, ...expressions),
	]);
}

function elementsOf(table: Table, set: string, keys: readonly Uint8Array[]): Attribute[] {
	const elements = keys.map((key) => nested(NFTA_LIST_ELEM, nested(NFTA_SET_ELEM_KEY, bytes(NFTA_DATA_VALUE, key))));
	return [
		text(NFTA_SET_ELEM_LIST_TABLE, table.name),
		text(NFTA_SET_ELEM_LIST_SET, set),
		nested(NFTA_SET_ELEM_LIST_ELEMENTS, ...elements),
	];
}

/** Adds keys to a set, whether or not they are there. `ENOENT` without the set. */
export function addElements(table: Table, set: string, keys: readonly Uint8Array[]): Request {
	return nftRequest(table, `adding to set "${set}"`, NFT_MSG_NEWSETELEM, NLM_F_CREATE, elementsOf(table, set, keys));
}

/** Removes keys from a set. `ENOENT` when one is not there. */
export function removeElements(table: Table, set: string, keys: readonly Uint8Array[]): Request {
	return nftRequest(table, `removing from set "${set}"`, NFT_MSG_DELSETELEM, 0, elementsOf(table, set, keys));
}

/** The keys of a set. `ENOENT` without the set. */
export function listElements(connection: Connection, table: Table, set: string): Buffer[] {
	const request = nftRequest(table, `listing set "${set}"`, NFT_MSG_GETSETELEM, 0, [
		text(NFTA_SET_ELEM_LIST_TABLE, table.name),
		text(NFTA_SET_ELEM_LIST_SET, set),
	]);
	return connection.dump(request).flatMap(decodeKeys);
}

/** Reads the keys out of a message about set elements, in which each is an attribute of the same type. */
export function decodeKeys(payload: Buffer): Buffer[] {
	if (payload.length < 4) throw new NetlinkError('decoding set elements', 'EBADMSG', 'truncated');
	return decodeList(decodeAttributes(payload, 4), NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_LIST_ELEM).flatMap((element) => {
		const key = decodeBytes(decodeNested(decodeAttributes(element), NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
		return key === undefined ? [] : [key];
	});
}
